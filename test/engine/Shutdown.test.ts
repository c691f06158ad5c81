import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Latch } from "effect"
import { TestClock } from "effect/testing"
import { idOf, submitted } from "../support/tasks.ts"
import { eventually, quiet, seconds, start } from "./engine.ts"

const id = idOf(1)
const hanging = (onInterrupt: () => void) => () => Effect.onInterrupt(Effect.never, () => Effect.sync(onInterrupt))

describe("an orderly stop", () => {
  it.effect("interrupts what runs and gives it back; the attempt is not counted", () =>
    Effect.gen(function* () {
      let interrupted = 0
      const engine = yield* start(
        hanging(() => interrupted++),
        { tasks: [submitted(1)] }
      )
      yield* engine.reaches(id, "PROCESSING")
      yield* engine.stop
      const released = yield* engine.get(id)
      assert.deepStrictEqual([released.status, released.attempt, released.attempts, interrupted], ["PENDING", 0, [], 1])
      assert.match(released.logs.at(-1) ?? "", /attempt 1 released$/)
      assert.deepStrictEqual(
        engine.logged.filter((line) => line.startsWith("Error")),
        []
      )
    })
  )

  it.effect("gives back the lines that the attempt had logged", () =>
    Effect.gen(function* () {
      const engine = yield* start((_, { log }) => Effect.andThen(log("so far"), Effect.never), {
        tasks: [submitted(1)]
      })
      yield* engine.stop
      assert.deepStrictEqual(
        (yield* engine.get(id)).logs.map((line) => line.slice(25)),
        ["submitted", "attempt 1 of 5 started", "so far", "attempt 1 released"]
      )
    })
  )

  it.effect("in the middle of a claim leaves no task claimed: each is given back", () =>
    Effect.gen(function* () {
      const claiming = yield* Deferred.make<void>()
      const go = yield* Latch.make()
      const engine = yield* start(() => Effect.never, {
        tasks: Array.from({ length: 10 }, (_, n) => submitted(n)),
        wrap: (repository) => ({
          ...repository,
          // claimed, and the answer is still on its way
          claim: (options) =>
            Effect.tap(repository.claim(options), () => Effect.andThen(Deferred.succeed(claiming, undefined), go.await))
        })
      })
      yield* Deferred.await(claiming)
      const stopping = yield* Effect.forkChild(engine.stop)
      yield* quiet
      yield* go.open
      yield* eventually(
        Effect.sync(() => stopping.pollUnsafe()),
        (exit) => exit !== undefined
      )
      assert.deepStrictEqual(yield* engine.repository.counts, { PENDING: 10, PROCESSING: 0, COMPLETED: 0, FAILED: 0 })
      for (const task of yield* engine.tasks) assert.strictEqual(task.attempt, 0)
    })
  )

  it.effect("lets an attempt finish within the grace time, claims nothing meanwhile, and then is done at once", () =>
    Effect.gen(function* () {
      const engine = yield* start(() => Effect.as(Effect.sleep(seconds(5)), "finished"), {
        tasks: [submitted(1), submitted(2)],
        settings: { concurrency: 1, shutdownGrace: seconds(10) }
      })
      yield* engine.reaches(id, "PROCESSING")
      const stopping = yield* Effect.forkChild(engine.stop)
      yield* TestClock.adjust(seconds(5))
      yield* eventually(
        Effect.sync(() => stopping.pollUnsafe()),
        (exit) => exit !== undefined
      )
      assert.strictEqual((yield* engine.get(id)).result, "finished")
      assert.deepStrictEqual(
        [(yield* engine.get(idOf(2))).status, (yield* engine.get(idOf(2))).attempt],
        ["PENDING", 0]
      )
    })
  )

  it.effect("gives what was being claimed its grace time too", () =>
    Effect.gen(function* () {
      const claiming = yield* Deferred.make<void>()
      const go = yield* Latch.make()
      const engine = yield* start(() => Effect.as(Effect.sleep(seconds(5)), "finished"), {
        tasks: [submitted(1)],
        settings: { shutdownGrace: seconds(10) },
        wrap: (repository) => ({
          ...repository,
          claim: (options) =>
            Effect.tap(repository.claim(options), () => Effect.andThen(Deferred.succeed(claiming, undefined), go.await))
        })
      })
      yield* Deferred.await(claiming)
      const stopping = yield* Effect.forkChild(engine.stop)
      yield* quiet
      yield* go.open
      yield* quiet
      yield* TestClock.adjust(seconds(5))
      yield* eventually(
        Effect.sync(() => stopping.pollUnsafe()),
        (exit) => exit !== undefined
      )
      assert.strictEqual((yield* engine.get(id)).result, "finished")
    })
  )

  it.effect("releases what the grace time was too short for, not sooner", () =>
    Effect.gen(function* () {
      const engine = yield* start(() => Effect.never, {
        tasks: [submitted(1)],
        settings: { shutdownGrace: seconds(10) }
      })
      yield* engine.reaches(id, "PROCESSING")
      const stopping = yield* Effect.forkChild(engine.stop)
      yield* TestClock.adjust(9999)
      assert.strictEqual((yield* engine.get(id)).status, "PROCESSING")
      yield* TestClock.adjust(1)
      yield* eventually(
        Effect.sync(() => stopping.pollUnsafe()),
        (exit) => exit !== undefined
      )
      assert.strictEqual((yield* engine.get(id)).status, "PENDING")
    })
  )

  it.effect("with nothing running waits for nothing", () =>
    Effect.gen(function* () {
      const engine = yield* start(() => Effect.succeed(""), { settings: { shutdownGrace: seconds(10) } })
      yield* engine.stop
    })
  )

  it.effect("takes nothing in: a submit while draining is refused, readiness says why, reading goes on", () =>
    Effect.gen(function* () {
      const engine = yield* start(() => Effect.never, {
        tasks: [submitted(1)],
        settings: { shutdownGrace: seconds(10) }
      })
      yield* engine.reaches(id, "PROCESSING")
      assert.deepStrictEqual(yield* engine.orchestrator.readiness, [])
      const stopping = yield* Effect.forkChild(engine.stop)
      yield* quiet
      assert.strictEqual((yield* Effect.flip(engine.orchestrator.submit({ content: "x" })))._tag, "ServiceDraining")
      assert.deepStrictEqual(yield* engine.orchestrator.readiness, ["draining: the service is shutting down"])
      assert.strictEqual((yield* engine.orchestrator.get(id)).status, "PROCESSING")
      assert.strictEqual((yield* engine.repository.counts).PENDING, 0)
      yield* TestClock.adjust(seconds(10))
      yield* eventually(
        Effect.sync(() => stopping.pollUnsafe()),
        (exit) => exit !== undefined
      )
    })
  )

  it.effect("what an attempt breaks on its way out does not fail its task, and is logged", () =>
    Effect.gen(function* () {
      const engine = yield* start(
        () => Effect.onInterrupt(Effect.never, () => Effect.die(new Error("clean-up failed"))),
        {
          tasks: [submitted(1)]
        }
      )
      yield* engine.reaches(id, "PROCESSING")
      yield* engine.stop
      assert.strictEqual((yield* engine.get(id)).status, "PENDING")
    })
  )

  it.effect("a released task runs in the next life as its first attempt", () =>
    Effect.gen(function* () {
      const first = yield* start(() => Effect.never, { tasks: [submitted(1)] })
      yield* first.stop
      const next = yield* start(() => Effect.succeed("done"), { tasks: yield* first.tasks })
      const done = yield* next.reaches(id, "COMPLETED")
      assert.strictEqual(done.attempt, 1)
    })
  )
})
