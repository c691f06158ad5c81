import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Context, Effect, Layer, Logger, ManagedRuntime, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import * as FileStateRepository from "../../src/adapters/file/FileStateRepository.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { TaskId } from "../../src/domain/Task.ts"
import { toWire } from "../../src/domain/TaskJson.ts"
import * as Engine from "../../src/engine/Engine.ts"
import { defaults, EngineSettings } from "../../src/engine/EngineSettings.ts"
import { Orchestrator } from "../../src/engine/Orchestrator.ts"
import * as RandomBytes from "../../src/host/RandomBytes.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { concurrency, type Open, type WorkEvents } from "./System.ts"
import { noWork, telling } from "./venomWork.ts"

const runtimeOf = (directory: string, on: WorkEvents | undefined) =>
  ManagedRuntime.make(
    Engine.layer.pipe(
      Layer.provide(noWork(on)),
      Layer.provideMerge(telling(on)),
      Layer.provide(FileStateRepository.layer({ directory })),
      Layer.provideMerge(RandomBytes.layer),
      Layer.provide(NodeFileSystem.layer),
      Layer.provide(Layer.succeed(EngineSettings, { ...defaults, concurrency })),
      Layer.provide(Logger.layer([]))
    )
  )

/** The engine begins to work with its layer: without work there is only the repository. */
const idleOf = (directory: string) =>
  ManagedRuntime.make(
    FileStateRepository.layer({ directory }).pipe(
      Layer.provide(NodeFileSystem.layer),
      Layer.provideMerge(RandomBytes.layer),
      Layer.provide(Logger.layer([]))
    )
  )

const submitMany = Effect.fnUntraced(function* (contents: ReadonlyArray<string>) {
  const repository = yield* StateRepository
  const random = yield* SecureRandom.SecureRandom
  const now = Date.now()
  const tasks = yield* Effect.forEach(contents, (content) =>
    Effect.map(random.uuidV7(), (uuid) =>
      Lifecycle.submit({ content }, { id: Schema.decodeSync(TaskId)(uuid), now, maxAttempts: defaults.maxAttempts })
    )
  )
  yield* repository.insert(tasks)
  return tasks
})

export const open: Open = async ({ directory }) => {
  let idle: ReturnType<typeof idleOf> | undefined
  let busy: ReturnType<typeof runtimeOf> | undefined
  let submitBusy: ((content: string) => Promise<string>) | undefined
  const repositoryRuntime = () => busy ?? (idle ??= idleOf(directory))
  const close = async () => {
    await idle?.dispose()
    await busy?.dispose()
    idle = undefined
    busy = undefined
    submitBusy = undefined
  }
  return {
    submit: async (content) => {
      if (submitBusy === undefined) {
        const [task] = await repositoryRuntime().runPromise(submitMany([content]))
        if (task === undefined) throw new Error("the task has no id")
        return task.id
      }
      return submitBusy(content)
    },
    submitMany: async (contents) => void (await repositoryRuntime().runPromise(submitMany(contents))),
    get: async (id) => {
      const found = await repositoryRuntime().runPromise(
        Effect.flatMap(StateRepository, (repository) => repository.get(Schema.decodeSync(TaskId)(id)))
      )
      return Option.match(found, { onNone: () => undefined, onSome: toWire })
    },
    work: async (on) => {
      await close()
      busy = runtimeOf(directory, on)
      const services = await busy.context()
      const venom = Context.get(services, Orchestrator)
      const run = Effect.runPromiseWith(services)
      submitBusy = async (content) => (await run(venom.submit({ content }))).id
    },
    stopWorking: close,
    close
  }
}
