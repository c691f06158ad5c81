import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, FileSystem, Layer, References, Result } from "effect"
import { Digest, SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import { createHash } from "node:crypto"
import * as FileStateRepository from "../../src/adapters/file/FileStateRepository.ts"
import * as MemoryStateRepository from "../../src/adapters/memory/MemoryStateRepository.ts"
import { isFinished } from "../../src/domain/Task.ts"
import type { TaskFailure } from "../../src/domain/TaskError.ts"
import * as Engine from "../../src/engine/Engine.ts"
import { defaults, EngineSettings } from "../../src/engine/EngineSettings.ts"
import { FlowControl } from "../../src/engine/FlowControl.ts"
import { Orchestrator } from "../../src/engine/Orchestrator.ts"
import { Schedules } from "../../src/engine/Schedules.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { TaskRunner } from "../../src/ports/TaskRunner.ts"
import { layerTest, TestQueue } from "../../src/testing.ts"
import { everything } from "../support/everything.ts"
import { type Run } from "./engine.ts"

/** A thousand of them: `npm run test:long`. */
const times = everything ? 1000 : 200
const range = (count: number) => Array.from({ length: count }, (_, n) => n)

const file = Layer.unwrap(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return FileStateRepository.layer({ directory: yield* fs.makeTempDirectoryScoped({ prefix: "venom-" }) })
  })
).pipe(Layer.provide(NodeFileSystem.layer))

const turns = (count: number) => Effect.repeat(Effect.yieldNow, { times: count })

/** Others have a turn between what is read of an entry and what is made of it, and before a claim. */
const hesitant = Layer.effect(
  StateRepository,
  Effect.map(StateRepository, (repository) => {
    let claims = 0
    return {
      ...repository,
      entry: (name: string) => Effect.tap(repository.entry(name), () => Effect.yieldNow),
      claim: (options: Parameters<typeof repository.claim>[0]) =>
        Effect.andThen(turns(claims++ % 5), repository.claim(options))
    }
  })
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

    it.live(
      "once a pause has returned nothing that it holds back begins, whatever was about to",
      () => {
        const begun = new Map<string, number>()
        const run: Run = ({ type }) =>
          Effect.andThen(
            Effect.sync(() => begun.set(type, (begun.get(type) ?? 0) + 1)),
            Effect.as(turns(2), "done")
          )
        return Effect.gen(function* () {
          const { submit } = yield* Orchestrator
          const { pause, resume, setLimits } = yield* FlowControl
          const { page } = yield* StateRepository
          const atPause: Array<number> = []
          /** Three tasks of a type at once with a pause, of that type or of all. */
          const race = Effect.fnUntraced(function* (n: number, type: string, paused: string | undefined) {
            begun.set(type, 0)
            const ofType = Effect.sync(() => begun.get(type) ?? 0)
            const pauseSoon = Effect.gen(function* () {
              yield* until(ofType, (count) => count >= n % 3)
              yield* turns(n % 41)
              yield* pause(paused)
              const held = yield* ofType
              atPause.push(held)
              yield* turns(10)
              assert.strictEqual(yield* ofType, held)
            })
            const submits = range(3).map(() => submit({ content: "", type, concurrencyKey: type }))
            yield* Effect.all([...submits, pauseSoon], { concurrency: "unbounded" })
            yield* resume(paused)
            yield* until(page({ type }, { limit: 3 }), ({ tasks }) => tasks.every(isFinished))
          })
          const lanes = 20
          yield* setLimits({ types: {}, keys: {}, eachKey: 1 })
          yield* Effect.forEach(
            range(lanes),
            (lane) => Effect.forEach(range(times / lanes), (n) => race(n, `lane${lane}`, `lane${lane}`)),
            { concurrency: "unbounded" }
          )
          yield* Effect.forEach(range(times / 10), (n) => race(n, "default", undefined))
          // or it was no race
          for (const held of [0, 1, 2]) assert.include(atPause, held)
        }).pipe(Effect.provide(engine(repository, run, 64)))
      },
      60_000
    )
  })
}

describe(`schedules, ${times} times`, () => {
  it.effect(
    "a slot has one run, though the process dies while it is made",
    () =>
      Effect.gen(function* () {
        const queue = yield* TestQueue
        const { put } = yield* Schedules
        yield* put("tick", { every: "1 second", missed: "once", task: { content: "tick" } })
        const runs = new Map<number, string>()
        const look = Effect.map(queue.submitted, (tasks) => {
          for (const { id, runAt } of tasks) {
            const known = runs.get(runAt) ?? id
            runs.set(runAt, known)
            assert.strictEqual(known, id)
          }
          return runs.size
        })
        const madeAtDeath = new Set<number>()
        for (const n of range(times)) {
          const time = yield* Effect.forkChild(TestClock.adjust("1 second"))
          yield* turns(n % 17)
          madeAtDeath.add((yield* look) - n)
          yield* queue.crash
          yield* Fiber.join(time)
          yield* queue.settle
          assert.strictEqual(yield* look, n + 1)
        }
        assert.deepStrictEqual(
          Array.from(runs.keys()),
          range(times).map((n) => (n + 1) * 1000)
        )
        // or it was no race
        assert.strictEqual(madeAtDeath.size, 2)
      }).pipe(Effect.provide(layerTest({ run: () => Effect.succeed(""), settings: { retentionCount: 3 } }))),
    60_000
  )
})
