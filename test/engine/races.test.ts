import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, FileSystem, Layer, References, Result } from "effect"
import { Digest, SecureRandom } from "effect/crypto"
import { createHash } from "node:crypto"
import * as FileStateRepository from "../../src/adapters/file/FileStateRepository.ts"
import * as MemoryStateRepository from "../../src/adapters/memory/MemoryStateRepository.ts"
import { isFinished } from "../../src/domain/Task.ts"
import type { TaskFailure } from "../../src/domain/TaskError.ts"
import * as Engine from "../../src/engine/Engine.ts"
import { defaults, EngineSettings } from "../../src/engine/EngineSettings.ts"
import { Orchestrator } from "../../src/engine/Orchestrator.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { TaskRunner } from "../../src/ports/TaskRunner.ts"
import { type Run } from "./engine.ts"

const times = 1000
const range = (count: number) => Array.from({ length: count }, (_, n) => n)

const file = Layer.unwrap(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return FileStateRepository.layer({ directory: yield* fs.makeTempDirectoryScoped({ prefix: "venom-" }) })
  })
).pipe(Layer.provide(NodeFileSystem.layer))

/** Others have a turn between what is read of an entry and what is made of it. */
const hesitant = Layer.effect(
  StateRepository,
  Effect.map(StateRepository, (repository) => ({
    ...repository,
    entry: (name: string) => Effect.tap(repository.entry(name), () => Effect.yieldNow)
  }))
)

/** A hundred thousand of them take no time. */
const digest = Layer.mock(Digest.Digest, {
  digestHex: (_, data) => Effect.sync(() => createHash("sha256").update(data).digest("hex"))
})

const engine = (repository: Layer.Layer<StateRepository, unknown>, run: Run, concurrency: number) =>
  Engine.layer.pipe(
    Layer.provideMerge(hesitant),
    Layer.provide(repository),
    Layer.provide([
      Layer.succeed(TaskRunner, { run }),
      Layer.succeed(EngineSettings, { ...defaults, concurrency }),
      SecureRandom.layerWebCrypto,
      digest
    ]),
    Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None"))
  )

/** Looks again and again; storage takes its time. */
const until = Effect.fnUntraced(function* <A, E>(look: Effect.Effect<A, E>, holds: (found: A) => boolean) {
  for (;;) {
    const found = yield* look
    if (holds(found)) return found
    yield* Effect.yieldNow
  }
})

const turns = (count: number) => Effect.repeat(Effect.yieldNow, { times: count })

for (const [name, repository] of [
  ["memory", MemoryStateRepository.layer()],
  ["file", file]
] as const) {
  describe(`${name}, ${times} times`, () => {
    it.live(
      "of a cancel and a result that come together one wins, and the answer says which",
      () => {
        const begun = new Map<string, Deferred.Deferred<string, TaskFailure>>()
        const run: Run = ({ content }) => begun.get(content)?.pipe(Deferred.await) ?? Effect.never
        return Effect.gen(function* () {
          const { cancel, get, submit } = yield* Orchestrator
          const won = { cancel: 0, result: 0 }
          const race = Effect.fnUntraced(function* (n: number) {
            const end = Deferred.makeUnsafe<string, TaskFailure>()
            begun.set(`${n}`, end)
            const { id } = yield* submit({ content: `${n}` })
            yield* until(get(id), ({ status }) => status === "PROCESSING")
            const [cancelled] = yield* Effect.all(
              [
                Effect.result(Effect.andThen(turns(n % 5), cancel(id))),
                Effect.andThen(turns((n >> 3) % 7), Deferred.succeed(end, "done"))
              ],
              { concurrency: "unbounded" }
            )
            const task = yield* until(get(id), isFinished)
            if (Result.isSuccess(cancelled)) {
              won.cancel++
              assert.deepStrictEqual([task.status, task.failure?.reason, task.result], ["FAILED", "cancelled", null])
            } else {
              won.result++
              assert(cancelled.failure._tag === "IllegalTransition")
              assert.deepStrictEqual(
                [cancelled.failure.status, task.status, task.result],
                ["COMPLETED", "COMPLETED", "done"]
              )
            }
          })
          yield* Effect.forEach(range(times), race, { concurrency: 20 })
          // or it was no race
          assert.isAbove(won.cancel, times / 20)
          assert.isAbove(won.result, times / 20)
        }).pipe(Effect.provide(engine(repository, run, 64)))
      },
      60_000
    )

    it.live(
      "a hundred equal idempotency keys at once make one task",
      () =>
        Effect.gen(function* () {
          const { submitOnce } = yield* Orchestrator
          const repository = yield* StateRepository
          for (const n of range(times)) {
            const answers = yield* Effect.all(
              range(100).map(() => submitOnce(`${n}`, { content: `${n}` })),
              { concurrency: "unbounded" }
            )
            assert.strictEqual(new Set(answers.map(({ task }) => task.id)).size, 1)
            assert.strictEqual(answers.filter(({ replayed }) => !replayed).length, 1)
          }
          assert.strictEqual((yield* repository.counts).PENDING, times)
        }).pipe(Effect.provide(engine(repository, () => Effect.never, 0))),
      120_000
    )
  })
}
