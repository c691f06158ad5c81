import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Latch } from "effect"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { permanent } from "../../src/domain/TaskError.ts"
import type { BulkOutcome } from "../../src/engine/BulkActions.ts"
import { StorageError } from "../../src/ports/StorageError.ts"
import { after, idOf, submitted } from "../support/tasks.ts"
import { eventually, quiet, type Run, start } from "./engine.ts"

const done: Run = () => Effect.succeed("")
const range = (count: number, from = 0) => Array.from({ length: count }, (_, n) => n + from)
const idle = { concurrency: 0 }

/** Tasks in each status: 1…3 PENDING, 4…6 COMPLETED, 7…9 FAILED. */
const mixed = [
  ...range(3, 1).map((n) => submitted(n, { type: "a" })),
  ...range(3, 4).map((n) => after(submitted(n, { type: "b" }), Lifecycle.claim(0), Lifecycle.complete("", 0))),
  ...range(3, 7).map((n) => after(submitted(n, { type: "a" }), Lifecycle.claim(0), Lifecycle.fail("error", "", 0)))
]

describe("all that match", () => {
  it.effect("are cancelled, those that are not finished", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, { tasks: mixed, settings: idle })
      assert.deepStrictEqual(yield* engine.orchestrator.cancelAll({ type: "a" }), {
        matched: 6,
        changed: 3,
        skipped: 3
      })
      const failures = (yield* engine.tasks).map(({ failure }) => failure?.reason)
      assert.strictEqual(failures.filter((reason) => reason === "cancelled").length, 3)
      assert.deepStrictEqual(yield* engine.orchestrator.cancelAll({ status: "PENDING" }), {
        matched: 0,
        changed: 0,
        skipped: 0
      })
    })
  )

  it.effect("are retried, those that are FAILED", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, { tasks: mixed, settings: idle })
      assert.deepStrictEqual(yield* engine.orchestrator.retryAll({}), { matched: 9, changed: 3, skipped: 6 })
      assert.strictEqual((yield* engine.repository.counts).PENDING, 6)
    })
  )

  it.effect("are deleted, those that are finished", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, { tasks: mixed, settings: idle })
      assert.deepStrictEqual(yield* engine.orchestrator.removeAll({}), { matched: 9, changed: 6, skipped: 3 })
      assert.deepStrictEqual(
        (yield* engine.tasks).map(({ status }) => status),
        ["PENDING", "PENDING", "PENDING"]
      )
    })
  )

  it.effect("are left alone when they are not as many as expected", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, { tasks: mixed, settings: idle })
      const { cancelAll, removeAll, retryAll } = engine.orchestrator
      for (const action of [cancelAll, retryAll, removeAll]) {
        for (const expectation of [{ expected: 8 }, { expected: 10 }, { expected: 6, tolerance: 2 }]) {
          const refused = yield* Effect.flip(action({}, expectation))
          assert(refused._tag === "UnexpectedCount")
          assert.strictEqual(refused.matched, 9)
        }
      }
      assert.deepStrictEqual(yield* engine.tasks, mixed.toReversed())
      assert.strictEqual((yield* cancelAll({}, { expected: 7, tolerance: 2 })).changed, 3)
      assert.strictEqual((yield* retryAll({}, { expected: 9 })).changed, 6)
    })
  )

  it.effect("are passed over when they have left the status that was asked for", () =>
    Effect.gen(function* () {
      const engine = yield* start(() => Effect.never, {
        tasks: range(3, 1).map((n) => submitted(n, { runAt: 1000 })),
        wrap: (repository) => ({
          ...repository,
          page: (filter, request) =>
            Effect.tap(repository.page(filter, request), () =>
              filter.status === "PENDING"
                ? Effect.ignore(repository.update(idOf(2), Lifecycle.claim(1000)))
                : Effect.void
            )
        })
      })
      const outcome = yield* engine.orchestrator.cancelAll({ status: "PENDING" })
      assert.deepStrictEqual(outcome, { matched: 3, changed: 2, skipped: 1 })
      assert.strictEqual((yield* engine.get(idOf(2))).status, "PROCESSING")
      const failed = yield* engine.orchestrator.retryAll({ status: "FAILED" })
      assert.strictEqual(failed.changed, 2)
    })
  )

  it.effect("are not deleted when they have left the status that was asked for at the last moment", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, {
        tasks: mixed,
        settings: idle,
        wrap: (repository) => ({
          ...repository,
          remove: (id, expected) =>
            Effect.gen(function* () {
              if (id === idOf(8)) {
                const now = 1
                yield* repository.reopen(id, Lifecycle.retryByHand(now)).pipe(Effect.orDie)
                yield* repository.update(id, Lifecycle.claim(now)).pipe(Effect.orDie)
                yield* repository.update(id, Lifecycle.complete("", now)).pipe(Effect.orDie)
              }
              return yield* repository.remove(id, expected)
            })
        })
      })
      const outcome = yield* engine.orchestrator.removeAll({ status: "FAILED" })
      assert.deepStrictEqual(outcome, { matched: 3, changed: 2, skipped: 1 })
      assert.strictEqual((yield* engine.get(idOf(8))).status, "COMPLETED")
    })
  )

  it.effect("are retried as far as there is room, the oldest first, and the answer says so", () =>
    Effect.gen(function* () {
      const failed = range(500).map((n) => after(submitted(n), Lifecycle.cancel(0)))
      const engine = yield* start(done, { tasks: failed, settings: idle, maxPending: 250 })
      const outcome = yield* engine.orchestrator.retryAll({ status: "FAILED" })
      assert.deepStrictEqual(outcome, { matched: 500, changed: 250, skipped: 250, full: true })
      for (const [n, status] of [
        [0, "PENDING"],
        [249, "PENDING"],
        [250, "FAILED"]
      ] as const) {
        assert.strictEqual((yield* engine.get(idOf(n))).status, status)
      }
      assert.strictEqual((yield* Effect.flip(engine.orchestrator.retry(idOf(250))))._tag, "QueueFull")
    })
  )

  it.effect("are many, and meanwhile others have their turn", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, { tasks: range(5000).map((n) => submitted(n)), settings: idle })
      let turns = 0
      const other = yield* Effect.forkChild(
        Effect.forever(
          Effect.andThen(
            Effect.sync(() => turns++),
            Effect.yieldNow
          )
        )
      )
      assert.strictEqual((yield* engine.orchestrator.cancelAll({})).changed, 5000)
      yield* Fiber.interrupt(other)
      assert.isAbove(turns, 20)
    })
  )

  it.effect("run no more when they are cancelled, and nobody waits for a slow end of another one", () =>
    Effect.gen(function* () {
      const clean = yield* Latch.make()
      let told = 0
      let ended = 0
      const run: Run = () =>
        Effect.onInterrupt(Effect.never, () =>
          Effect.sync(() => told++).pipe(Effect.andThen(clean.await), Effect.andThen(Effect.sync(() => ended++)))
        )
      const engine = yield* start(run, {
        tasks: range(1200).map((n) => submitted(n)),
        settings: { concurrency: 700 }
      })
      yield* eventually(engine.dispatcher.running, (running) => running === 700)
      const answer = yield* Deferred.make<BulkOutcome>()
      yield* Effect.forkChild(
        Effect.flatMap(engine.orchestrator.cancelAll({}), (done) => Deferred.succeed(answer, done))
      )
      yield* eventually(
        Effect.sync(() => told),
        (told) => told === 700
      )
      yield* eventually(engine.repository.counts, ({ FAILED }) => FAILED === 1200)
      yield* quiet
      assert.isFalse(yield* Deferred.isDone(answer), "answers when they have ended")
      yield* clean.open
      assert.deepStrictEqual(yield* Deferred.await(answer), { matched: 1200, changed: 1200, skipped: 0 })
      assert.strictEqual(ended, 700)
      yield* eventually(engine.dispatcher.running, (running) => running === 0)
    })
  )

  it.effect("stay changed as far as it came when storage refuses in the middle", () =>
    Effect.gen(function* () {
      let changes = 0
      const engine = yield* start(done, {
        tasks: range(2000).map((n) => submitted(n)),
        settings: idle,
        wrap: (repository) => ({
          ...repository,
          update: (id, transition) =>
            Effect.suspend(() =>
              ++changes > 700 ? Effect.fail(new StorageError({ reason: "out" })) : repository.update(id, transition)
            )
        })
      })
      assert.strictEqual((yield* Effect.flip(engine.orchestrator.cancelAll({})))._tag, "StorageError")
      assert.strictEqual((yield* engine.repository.counts).FAILED, 700)
      assert.strictEqual(changes, 800, "nothing more is tried")
    })
  )
})

describe("remove", () => {
  it.effect("deletes what is finished, once", () =>
    Effect.gen(function* () {
      const engine = yield* start(() => Effect.fail(permanent("no")), { tasks: [submitted(1)] })
      yield* engine.reaches(idOf(1), "FAILED")
      yield* engine.orchestrator.remove(idOf(1))
      assert.strictEqual((yield* Effect.flip(engine.orchestrator.remove(idOf(1))))._tag, "TaskNotFound")
    })
  )

  it.effect("is refused while a task is not finished", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, { tasks: [submitted(1)], settings: idle })
      const refused = yield* Effect.flip(engine.orchestrator.remove(idOf(1)))
      assert(refused._tag === "IllegalTransition")
      assert.strictEqual(refused.status, "PENDING")
    })
  )
})
