import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Latch, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { permanent } from "../../src/domain/TaskError.ts"
import { after, idOf, submitted } from "../support/tasks.ts"
import { eventually, quiet, type Run, seconds, start } from "./engine.ts"

const id = idOf(1)
const done: Run = () => Effect.succeed("")
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)

describe("submit", () => {
  it.effect("returns a task that is stored, PENDING, with what the request names and defaults for the rest", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, { settings: { maxAttempts: 7, concurrency: 0 } })
      yield* TestClock.adjust(5000)
      const task = yield* engine.orchestrator.submit({ content: "x", tags: ["a"] })
      assert.deepStrictEqual(
        [task.status, task.createdAt, task.runAt, task.maxAttempts, task.type],
        ["PENDING", 5000, 5000, 7, "default"]
      )
      assert.deepStrictEqual(yield* engine.orchestrator.get(task.id), task)
      assert.strictEqual((yield* engine.orchestrator.submit({ content: "x", maxAttempts: 2 })).maxAttempts, 2)
    })
  )

  it.effect("gives ids that sort by creation, within one millisecond and when the clock goes back too", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, { settings: { concurrency: 0 } })
      yield* TestClock.setTime(1_000_000)
      const submit = engine.orchestrator.submit({ content: "x" })
      const before = yield* Effect.replicateEffect(submit, 100)
      yield* TestClock.setTime(1000)
      const behind = yield* Effect.replicateEffect(submit, 100)
      const ids = [...before, ...behind].map((task) => task.id)
      assert.deepStrictEqual(ids, ids.toSorted())
      assert.strictEqual(new Set(ids).size, 200)
    })
  )

  it.effect("is refused when the queue is full, and taken again when there is room", () =>
    Effect.gen(function* () {
      const go = yield* Latch.make()
      const engine = yield* start(() => Effect.as(go.await, ""), { maxPending: 2 })
      const submit = engine.orchestrator.submit({ content: "x" })
      const first = yield* submit
      yield* submit
      assert.strictEqual((yield* Effect.flip(submit))._tag, "QueueFull")
      yield* go.open
      yield* engine.reaches(first.id, "COMPLETED")
      yield* submit
    })
  )
})

describe("get, page and list", () => {
  it.effect("an unknown id is TaskNotFound", () =>
    Effect.gen(function* () {
      const engine = yield* start(done)
      assert.strictEqual((yield* Effect.flip(engine.orchestrator.get(id)))._tag, "TaskNotFound")
    })
  )

  it.effect("a list is every matching task once, newest first, over as many pages as it takes", () =>
    Effect.gen(function* () {
      let pages = 0
      const engine = yield* start(done, {
        tasks: numbers(0, 1700).map((n) => submitted(n, { type: n % 2 === 0 ? "even" : "odd", runAt: 1e9 })),
        wrap: (repository) => ({
          ...repository,
          page: (...request) =>
            Effect.suspend(() => {
              pages++
              return repository.page(...request)
            })
        })
      })
      pages = 0
      const listed = yield* Stream.runCollect(engine.orchestrator.list({}))
      assert.deepStrictEqual(
        listed.map((task) => task.id),
        numbers(0, 1700).toReversed().map(idOf)
      )
      assert.strictEqual(pages, 4)
      const even = yield* Stream.runCollect(engine.orchestrator.list({ type: "even" }))
      assert.strictEqual(even.length, 850)
      assert.deepStrictEqual(yield* Stream.runCollect(engine.orchestrator.list({ type: "none" })), [])
    })
  )

  it.effect("a list shows each task as it is when its turn comes, and none that came later", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, {
        tasks: numbers(0, 600).map((n) => submitted(n)),
        settings: { concurrency: 0 }
      })
      yield* TestClock.setTime(Date.UTC(2030, 0, 1))
      let seen = 0
      const listed = yield* engine.orchestrator.list({}).pipe(
        Stream.tap(() =>
          Effect.suspend(() =>
            seen++ === 0
              ? Effect.andThen(engine.orchestrator.cancel(idOf(0)), engine.orchestrator.submit({ content: "new" }))
              : Effect.void
          )
        ),
        Stream.runCollect
      )
      assert.strictEqual(listed.length, 600)
      assert.strictEqual(listed.at(-1)?.status, "FAILED")
    })
  )
})

describe("cancel", () => {
  it.effect("interrupts the running attempt, returns when it has ended, and the task is FAILED as cancelled", () =>
    Effect.gen(function* () {
      const cleaning = yield* Latch.make()
      let cleaned = false
      const run: Run = () =>
        Effect.onInterrupt(Effect.never, () =>
          Effect.andThen(
            cleaning.await,
            Effect.sync(() => (cleaned = true))
          )
        )
      const engine = yield* start(run, { tasks: [submitted(1)] })
      yield* engine.reaches(id, "PROCESSING")
      const cancelling = yield* Effect.forkChild(engine.orchestrator.cancel(id))
      yield* quiet
      assert.strictEqual((yield* engine.get(id)).status, "FAILED", "decided before the attempt has ended")
      assert.strictEqual(cancelling.pollUnsafe(), undefined)
      yield* cleaning.open
      const cancelled = yield* Fiber.join(cancelling)
      assert.isTrue(cleaned)
      assert.deepStrictEqual(cancelled.failure, { reason: "cancelled", message: "cancelled on request" })
      yield* eventually(engine.dispatcher.running, (running) => running === 0)
      assert.deepStrictEqual(yield* engine.get(id), cancelled, "the late verdict was dropped")
      assert.isTrue(engine.logged.some((line) => line.startsWith("Info The verdict came too late and was dropped")))
      assert.deepStrictEqual(
        engine.logged.filter((line) => line.startsWith("Error")),
        []
      )
    })
  )

  it.effect("drops the result of an attempt that would not be interrupted", () =>
    Effect.gen(function* () {
      const go = yield* Latch.make()
      const engine = yield* start(() => Effect.uninterruptible(Effect.as(go.await, "too late")), {
        tasks: [submitted(1)]
      })
      yield* engine.reaches(id, "PROCESSING")
      const cancelling = yield* Effect.forkChild(engine.orchestrator.cancel(id))
      yield* quiet
      yield* go.open
      yield* Fiber.join(cancelling)
      const cancelled = yield* engine.get(id)
      assert.deepStrictEqual([cancelled.status, cancelled.result], ["FAILED", null])
    })
  )

  it.effect("who waits for its end may go away; the cancel stands and the attempt is interrupted all the same", () =>
    Effect.gen(function* () {
      const go = yield* Latch.make()
      let interrupted = false
      const run: Run = () =>
        Effect.onInterrupt(Effect.never, () =>
          Effect.andThen(
            go.await,
            Effect.sync(() => (interrupted = true))
          )
        )
      const engine = yield* start(run, { tasks: [submitted(1)] })
      yield* engine.reaches(id, "PROCESSING")
      const cancelling = yield* Effect.forkChild(engine.orchestrator.cancel(id))
      yield* quiet
      yield* Fiber.interrupt(cancelling)
      assert.strictEqual((yield* engine.get(id)).failure?.reason, "cancelled")
      yield* go.open
      yield* eventually(engine.dispatcher.running, (running) => running === 0)
      assert.isTrue(interrupted)
    })
  )

  it.effect("of a waiting task means that it never runs", () =>
    Effect.gen(function* () {
      let runs = 0
      const engine = yield* start(() => Effect.sync(() => String(runs++)), { tasks: [submitted(1, { runAt: 1000 })] })
      yield* engine.orchestrator.cancel(id)
      yield* TestClock.adjust(seconds(5))
      assert.strictEqual(runs, 0)
    })
  )

  it.effect("in the middle of a round of claims finds the attempt that is about to begin", () =>
    Effect.gen(function* () {
      const claimed = yield* Deferred.make<void>()
      const go = yield* Latch.make()
      let interrupted = 0
      const run: Run = () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
      const engine = yield* start(run, {
        tasks: [submitted(1)],
        wrap: (repository) => ({
          ...repository,
          claim: (options) =>
            Effect.tap(repository.claim(options), ({ length }) =>
              length === 0 ? Effect.void : Effect.andThen(Deferred.succeed(claimed, undefined), go.await)
            )
        })
      })
      yield* Deferred.await(claimed)
      const cancelling = yield* Effect.forkChild(engine.orchestrator.cancel(id))
      yield* quiet
      yield* go.open
      yield* Fiber.join(cancelling)
      yield* eventually(engine.dispatcher.running, (running) => running === 0)
      assert.strictEqual(interrupted, 1)
    })
  )

  it.effect("by the runner itself, of its own task, does not hang", () =>
    Effect.gen(function* () {
      const cancel = yield* Deferred.make<Effect.Effect<unknown, unknown>>()
      const engine = yield* start(() => Effect.as(Effect.ignore(Effect.flatten(Deferred.await(cancel))), "survived"), {
        tasks: [submitted(1)]
      })
      yield* engine.reaches(id, "PROCESSING")
      yield* Deferred.succeed(cancel, engine.orchestrator.cancel(id))
      yield* eventually(engine.dispatcher.running, (running) => running === 0)
      assert.strictEqual((yield* engine.get(id)).failure?.reason, "cancelled")
    })
  )

  it.effect("of what is finished or unknown is refused", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, { tasks: [submitted(1)] })
      yield* engine.reaches(id, "COMPLETED")
      assert.strictEqual((yield* Effect.flip(engine.orchestrator.cancel(id)))._tag, "IllegalTransition")
      assert.strictEqual((yield* Effect.flip(engine.orchestrator.cancel(idOf(2))))._tag, "TaskNotFound")
    })
  )

  it.effect(
    "then retried by hand is another attempt, which begins when the first has ended, and no cancel touches",
    () =>
      Effect.gen(function* () {
        const go = yield* Latch.make()
        let begun = 0
        const run: Run = ({ attempt }) =>
          Effect.suspend(() => {
            begun++
            return attempt === 1 ? Effect.onInterrupt(Effect.never, () => go.await) : Effect.succeed("second")
          })
        const engine = yield* start(run, { tasks: [submitted(1)] })
        yield* engine.reaches(id, "PROCESSING")
        const cancelling = yield* Effect.forkChild(engine.orchestrator.cancel(id))
        yield* quiet
        yield* engine.orchestrator.retry(id)
        yield* engine.reaches(id, "PROCESSING")
        yield* quiet
        assert.strictEqual(begun, 1, "the first one still cleans up")
        assert.strictEqual(yield* engine.dispatcher.running, 2, "and holds its slot")
        yield* go.open
        assert.isTrue(Exit.isSuccess(yield* Fiber.await(cancelling)))
        assert.strictEqual((yield* engine.reaches(id, "COMPLETED")).result, "second")
      })
  )

  it.effect("of the attempt that waits for the one before means that it never begins; a stop gives it back", () =>
    Effect.gen(function* () {
      const go = yield* Latch.make()
      let begun = 0
      const run: Run = () =>
        Effect.suspend(() => {
          begun++
          return Effect.onInterrupt(Effect.never, () => go.await)
        })
      const engine = yield* start(run, { tasks: [submitted(1), submitted(2)] })
      for (const each of [id, idOf(2)]) {
        yield* engine.reaches(each, "PROCESSING")
        yield* Effect.forkChild(engine.orchestrator.cancel(each))
        yield* engine.reaches(each, "FAILED")
        yield* engine.orchestrator.retry(each)
        yield* engine.reaches(each, "PROCESSING")
      }
      yield* Effect.forkChild(engine.orchestrator.cancel(id))
      const stopping = yield* Effect.forkChild(engine.stop)
      yield* quiet
      yield* go.open
      yield* Fiber.join(stopping)
      assert.strictEqual(begun, 2)
      const [cancelled, given] = [yield* engine.get(id), yield* engine.get(idOf(2))]
      assert.deepStrictEqual([cancelled.status, cancelled.failure?.reason], ["FAILED", "cancelled"])
      assert.deepStrictEqual([given.status, given.attempt], ["PENDING", 1])
    })
  )
})

describe("retry by hand", () => {
  it.effect("gives a FAILED task another attempt, at once", () =>
    Effect.gen(function* () {
      const run: Run = ({ attempt }) => (attempt === 1 ? Effect.fail(permanent("no")) : Effect.succeed("yes"))
      const engine = yield* start(run, { tasks: [submitted(1, { maxAttempts: 1 })] })
      yield* engine.reaches(id, "FAILED")
      assert.strictEqual((yield* engine.orchestrator.retry(id)).status, "PENDING")
      const done = yield* engine.reaches(id, "COMPLETED")
      assert.deepStrictEqual([done.attempt, done.maxAttempts, done.failure], [2, 2, null])
    })
  )

  it.effect("of what is not FAILED is refused", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, { tasks: [after(submitted(1), Lifecycle.claim(0), Lifecycle.complete("", 0))] })
      assert.strictEqual((yield* Effect.flip(engine.orchestrator.retry(id)))._tag, "IllegalTransition")
    })
  )
})
