import { Context, Effect, Layer, Logger, ManagedRuntime, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import * as Connected from "../../src/adapters/postgres/Connected.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { TaskId } from "../../src/domain/Task.ts"
import { toWire } from "../../src/domain/TaskJson.ts"
import * as Engine from "../../src/engine/Engine.ts"
import { defaults, EngineSettings } from "../../src/engine/EngineSettings.ts"
import { Orchestrator } from "../../src/engine/Orchestrator.ts"
import * as RandomBytes from "../../src/host/RandomBytes.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { postgresAnswers } from "../servers/Answers.ts"
import { concurrency, type Open, type WorkEvents } from "./System.ts"
import { noWork, telling } from "./venomWork.ts"

export const store = (port: number) =>
  Connected.layer({ url: `postgres://postgres@127.0.0.1:${port}/postgres`, concurrency, connections: 10 })

const runtimeOf = (port: number, on: WorkEvents) =>
  ManagedRuntime.make(
    Engine.layer.pipe(
      Layer.provide(noWork(on)),
      Layer.provideMerge(telling(on)),
      Layer.provide(store(port)),
      Layer.provideMerge(RandomBytes.layer),
      Layer.provide(Layer.succeed(EngineSettings, { ...defaults, concurrency })),
      Layer.provide(Logger.layer([]))
    )
  )

/** The engine begins to work with its layer: without work there is only the repository. */
const idleOf = (port: number) =>
  ManagedRuntime.make(store(port).pipe(Layer.provideMerge(RandomBytes.layer), Layer.provide(Logger.layer([]))))

export const open: Open = async ({ port }) => {
  await postgresAnswers(port)
  const idle = idleOf(port)
  const services = await idle.context()
  const repository = Context.get(services, StateRepository)
  const random = Context.get(services, SecureRandom.SecureRandom)
  let working: ReturnType<typeof runtimeOf> | undefined
  const submitted = (content: string) =>
    Effect.map(random.uuidV7(), (id) =>
      Lifecycle.submit({ content }, { id: TaskId.make(id), now: Date.now(), maxAttempts: defaults.maxAttempts })
    )
  const toTaskId = Schema.decodeUnknownSync(TaskId)
  return {
    submit: (content) =>
      working === undefined
        ? idle.runPromise(Effect.flatMap(submitted(content), (task) => Effect.as(repository.insert([task]), task.id)))
        : working.runPromise(
            Effect.map(
              Effect.flatMap(Orchestrator, (orchestrator) => orchestrator.submit({ content })),
              ({ id }) => id
            )
          ),
    submitMany: (contents) =>
      idle.runPromise(
        Effect.flatMap(Effect.forEach(contents, submitted), (tasks) => Effect.asVoid(repository.insert(tasks)))
      ),
    get: (id) =>
      idle.runPromise(
        Effect.map(repository.get(toTaskId(id)), (task) => Option.getOrUndefined(Option.map(task, toWire)))
      ),
    work: async (on) => {
      working = runtimeOf(port, on)
      await working.context()
    },
    stopWorking: async () => {
      await working?.dispose()
      working = undefined
    },
    close: async () => {
      await working?.dispose()
      await idle.dispose()
    }
  }
}
