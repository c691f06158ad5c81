import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { StateRepository } from "../../src/ports/StateRepository.ts"
import { StorageError } from "../../src/ports/StorageError.ts"
import { idOf, submitted } from "../support/tasks.ts"
import { eventually, type Run, seconds, start } from "./engine.ts"

const id = idOf(1)
const refused = Effect.fail(new StorageError({ reason: "no space left" }))

/** A repository whose storage is out while `storage.out`, and what was asked of it meanwhile. */
const outage = () => {
  const storage = { out: false, refusals: 0 }
  const unlessOut = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.suspend((): Effect.Effect<A, E | StorageError, R> => {
      if (!storage.out) return effect
      storage.refusals++
      return refused
    })
  const wrap = (repository: StateRepository["Service"]): StateRepository["Service"] => ({
    ...repository,
    insert: (tasks) => unlessOut(repository.insert(tasks)),
    update: (...change) => unlessOut(repository.update(...change)),
    claim: (options) => unlessOut(repository.claim(options)),
    settle: (settlements) => unlessOut(repository.settle(settlements)),
    health: Effect.suspend(() =>
      storage.out
        ? Effect.succeed({ _tag: "NotWritable", reason: "no space left", since: 0 } as const)
        : repository.health
    )
  })
  return { storage, wrap }
}

const takesASecond: Run = () => Effect.as(Effect.sleep(seconds(1)), "done")

describe("an outage of storage", () => {
  it.effect("keeps a verdict and writes it when storage is back; the task ended when it ended", () =>
    Effect.gen(function* () {
      const { storage, wrap } = outage()
      const engine = yield* start(takesASecond, { tasks: [submitted(1)], wrap })
      yield* engine.reaches(id, "PROCESSING")
      storage.out = true
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* engine.get(id)).status, "PROCESSING")
      storage.out = false
      yield* TestClock.adjust(seconds(1))
      const done = yield* engine.get(id)
      assert.deepStrictEqual([done.status, done.result, done.attempt, done.finishedAt], ["COMPLETED", "done", 1, 1000])
    })
  )

  it.effect("keeps the slot of a verdict that waits, and starts nothing in its place", () =>
    Effect.gen(function* () {
      const { storage, wrap } = outage()
      const started: Array<string> = []
      const engine = yield* start(
        (task) =>
          Effect.suspend(() => {
            started.push(task.content)
            return Effect.as(Effect.sleep(seconds(1)), "done")
          }),
        { tasks: [submitted(1), submitted(2)], settings: { concurrency: 1 }, wrap }
      )
      yield* engine.reaches(id, "PROCESSING")
      storage.out = true
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* engine.dispatcher.running, 1)
      assert.deepStrictEqual(started, ["task 1"])
      storage.out = false
      yield* TestClock.adjust(seconds(3))
      assert.strictEqual((yield* engine.repository.counts).COMPLETED, 2)
    })
  )

  it.effect("is asked about once a second, by each verdict and by the dispatcher, and told of once by each", () =>
    Effect.gen(function* () {
      const { storage, wrap } = outage()
      const engine = yield* start(takesASecond, {
        tasks: [submitted(1), submitted(2), submitted(3, { runAt: 30_000 })],
        settings: { concurrency: 3 },
        wrap
      })
      yield* engine.reaches(idOf(2), "PROCESSING")
      storage.out = true
      yield* TestClock.adjust("1 minute")
      const before = storage.refusals
      yield* TestClock.adjust("1 minute")
      assert.isAtLeast(storage.refusals - before, 175)
      assert.isAtMost(storage.refusals - before, 185)
      assert.strictEqual(
        engine.logged.filter((line) => line.startsWith("Warn The verdict waits for storage")).length,
        2
      )
      assert.strictEqual(engine.logged.filter((line) => line.startsWith("Warn Nothing can be claimed")).length, 1)
    })
  )

  it.effect("over, the dispatcher claims again within a second, though no one hints at it", () =>
    Effect.gen(function* () {
      const { storage, wrap } = outage()
      storage.out = true
      const engine = yield* start(takesASecond, {
        tasks: [submitted(1)],
        wrap: (repository) => ({ ...wrap(repository), rescue: repository.rescue })
      })
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual((yield* engine.get(id)).status, "PENDING")
      assert.strictEqual(engine.logged.filter((line) => line.startsWith("Warn Nothing can be claimed")).length, 1)
      storage.out = false
      yield* TestClock.adjust(seconds(1))
      assert.strictEqual((yield* engine.get(id)).status, "PROCESSING")
    })
  )

  it.effect("is what a submit is told, and readiness", () =>
    Effect.gen(function* () {
      const { storage, wrap } = outage()
      const engine = yield* start(takesASecond, { wrap })
      storage.out = true
      assert.strictEqual((yield* Effect.flip(engine.orchestrator.submit({ content: "x" })))._tag, "StorageError")
      assert.deepStrictEqual(yield* engine.orchestrator.readiness, ["storage is not writable: no space left"])
      storage.out = false
      yield* engine.orchestrator.submit({ content: "x" })
      assert.deepStrictEqual(yield* engine.orchestrator.readiness, [])
    })
  )

  it.effect(
    "does not keep a stopping engine: verdicts wait out the grace time, then a restart rescues their tasks",
    () =>
      Effect.gen(function* () {
        const { storage, wrap } = outage()
        const engine = yield* start(takesASecond, {
          tasks: [submitted(1)],
          wrap,
          settings: { shutdownGrace: seconds(10) }
        })
        yield* engine.reaches(id, "PROCESSING")
        storage.out = true
        yield* TestClock.adjust(seconds(5))
        const stopping = yield* Effect.forkChild(engine.stop)
        yield* TestClock.adjust(seconds(9))
        assert.strictEqual(stopping.pollUnsafe(), undefined)
        yield* TestClock.adjust(seconds(1))
        yield* eventually(
          Effect.sync(() => stopping.pollUnsafe()),
          (exit) => exit !== undefined
        )
        assert.strictEqual((yield* engine.get(id)).status, "PROCESSING")
        assert.isTrue(
          engine.logged.some((line) => line.startsWith("Error The attempt has no verdict; a restart rescues its task"))
        )
      })
  )

  it.effect("that ends within the grace time costs a stopping engine nothing", () =>
    Effect.gen(function* () {
      const { storage, wrap } = outage()
      const engine = yield* start(takesASecond, {
        tasks: [submitted(1)],
        wrap,
        settings: { shutdownGrace: seconds(10) }
      })
      yield* engine.reaches(id, "PROCESSING")
      storage.out = true
      yield* TestClock.adjust(seconds(5))
      const stopping = yield* Effect.forkChild(engine.stop)
      yield* TestClock.adjust(seconds(5))
      storage.out = false
      yield* TestClock.adjust(seconds(1))
      yield* eventually(
        Effect.sync(() => stopping.pollUnsafe()),
        (exit) => exit !== undefined
      )
      assert.strictEqual((yield* engine.get(id)).status, "COMPLETED")
    })
  )

  it.effect("in the middle of many tasks loses none and runs none twice", () =>
    Effect.gen(function* () {
      const { storage, wrap } = outage()
      const runs = new Map<string, number>()
      const engine = yield* start(
        (task) =>
          Effect.suspend(() => {
            runs.set(task.id, (runs.get(task.id) ?? 0) + 1)
            return Effect.as(Effect.sleep(300), "done")
          }),
        { tasks: Array.from({ length: 200 }, (_, n) => submitted(n)), settings: { concurrency: 10 }, wrap }
      )
      for (let round = 0; round < 20; round++) {
        yield* TestClock.adjust(450)
        storage.out = !storage.out
      }
      storage.out = false
      yield* TestClock.adjust(seconds(30))
      assert.strictEqual((yield* engine.repository.counts).COMPLETED, 200)
      assert.deepStrictEqual([...new Set(runs.values())], [1])
    })
  )
})
