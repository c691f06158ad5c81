import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { TestClock } from "effect/testing"
import { permanent, retryable } from "../../src/domain/TaskError.ts"
import { Orchestrator } from "../../src/engine/Orchestrator.ts"
import { layerTest, TestQueue } from "../../src/testing.ts"
import { idOf, submitted } from "../support/tasks.ts"
import { eventually, seconds, start, steady } from "./engine.ts"

const id = idOf(1)
const task = submitted(1)

describe("how an attempt ends", () => {
  it.effect("success completes the task with the runner's result", () =>
    Effect.gen(function* () {
      const engine = yield* start(({ content }) => Effect.succeed(`did ${content}`), { tasks: [task] })
      const done = yield* engine.reaches(id, "COMPLETED")
      assert.strictEqual(done.result, "did task 1")
      assert.strictEqual(done.attempt, 1)
      assert.deepStrictEqual(
        done.attempts.map(({ outcome }) => outcome),
        ["completed"]
      )
    })
  )

  it.effect("a failure is tried again after its backoff, until no attempt is left", () =>
    Effect.gen(function* () {
      const { get, submit } = yield* Orchestrator
      const queue = yield* TestQueue
      const { id } = yield* submit({ content: "", maxAttempts: 3 })
      yield* queue.settle
      const first = yield* get(id)
      assert.deepStrictEqual([first.attempt, first.runAt], [1, 1000])
      yield* queue.advance(999)
      assert.strictEqual((yield* get(id)).attempt, 1)
      yield* queue.advance(1)
      const second = yield* get(id)
      assert.deepStrictEqual([second.attempt, second.runAt], [2, 3000])
      yield* queue.drain
      const failed = yield* get(id)
      assert.deepStrictEqual(failed.failure, { reason: "error", message: "no luck" })
      assert.deepStrictEqual(
        failed.attempts.map(({ outcome, startedAt }) => [outcome, startedAt]),
        [
          ["error", 0],
          ["error", 1000],
          ["error", 3000]
        ]
      )
    }).pipe(Effect.provide(layerTest({ run: () => Effect.fail(retryable("no luck")), settings: { backoff: steady } })))
  )

  it.effect("chance spreads the backoff, within its bounds", () =>
    Effect.gen(function* () {
      const tasks = Array.from({ length: 50 }, (_, n) => submitted(n))
      const engine = yield* start(() => Effect.fail(retryable("no")), {
        tasks,
        settings: { backoff: { kind: "fixed", base: seconds(10), cap: seconds(10), jitter: 0.2 } }
      })
      const tried = yield* eventually(engine.tasks, (all) => all.every(({ runAt }) => runAt > 0))
      const waits = tried.map(({ runAt }) => runAt)
      assert.isAbove(new Set(waits).size, 20)
      assert.isAtLeast(Math.min(...waits), 8000)
      assert.isAtMost(Math.max(...waits), 12_000)
    })
  )

  it.effect("a failure that is not retryable fails at once", () =>
    Effect.gen(function* () {
      const engine = yield* start(() => Effect.fail(permanent("never")), { tasks: [task] })
      const failed = yield* engine.reaches(id, "FAILED")
      assert.deepStrictEqual([failed.attempt, failed.failure], [1, { reason: "error", message: "never" }])
    })
  )

  it.effect("the runner's wish for the next attempt stands in place of the backoff", () =>
    Effect.gen(function* () {
      const { get, submit } = yield* Orchestrator
      const queue = yield* TestQueue
      const { id } = yield* submit({ content: "" })
      yield* queue.advance("89 seconds")
      assert.strictEqual((yield* get(id)).status, "PENDING")
      yield* queue.advance("1 second")
      assert.strictEqual((yield* get(id)).status, "COMPLETED")
    }).pipe(
      Effect.provide(
        layerTest({
          run: ({ attempt }) => (attempt === 1 ? Effect.fail(retryable("busy", seconds(90))) : Effect.succeed(""))
        })
      )
    )
  )

  it.effect("a wish for now is heard: the task runs again without delay", () =>
    Effect.gen(function* () {
      const { submit } = yield* Orchestrator
      const queue = yield* TestQueue
      yield* submit({ content: "" })
      yield* queue.settle
      yield* queue.assertSubmitted({ status: "COMPLETED", attempt: 4, finishedAt: 0 })
    }).pipe(
      Effect.provide(
        layerTest({
          run: ({ attempt }) => (attempt < 4 ? Effect.fail(retryable("again", seconds(0))) : Effect.succeed(""))
        })
      )
    )
  )

  it.effect("an attempt that takes too long is interrupted and tried again; the last one fails as a timeout", () =>
    Effect.gen(function* () {
      let interrupted = 0
      const hang = Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
      const engine = yield* start(() => hang, {
        tasks: [submitted(1, { maxAttempts: 2 })],
        settings: { taskTimeout: seconds(30) }
      })
      yield* TestClock.adjust(seconds(30))
      const retried = yield* engine.get(id)
      assert.deepStrictEqual([retried.status, retried.attempts[0]?.outcome, interrupted], ["PENDING", "timeout", 1])
      yield* TestClock.adjust(seconds(31))
      const failed = yield* engine.get(id)
      assert.deepStrictEqual(failed.failure, { reason: "timeout", message: "still running after 30s" })
      assert.strictEqual(interrupted, 2)
    })
  )

  it.effect("a task's own timeout, backoff and deadline stand in place of the usual ones", () =>
    Effect.gen(function* () {
      const { get, submitAll } = yield* Orchestrator
      const queue = yield* TestQueue
      const [first, ...others] = yield* submitAll([
        { content: "", timeout: "5 seconds", backoff: { kind: "fixed", base: "1 minute", jitter: 0 } },
        { content: "", timeout: 5000, deadline: 7000 },
        { content: "", deadline: 7000 }
      ])
      yield* queue.advance("5 seconds")
      yield* queue.assertSubmitted({ id: first?.id ?? id, status: "PENDING", runAt: 65_000 })
      yield* queue.advance("2 seconds")
      const failures = yield* Effect.forEach(others, ({ id }) => Effect.map(get(id), ({ failure }) => failure))
      assert.deepStrictEqual(failures, [
        { reason: "timeout", message: "still running after 1s; no attempt is left before its deadline" },
        { reason: "timeout", message: "still running after 7s; no attempt is left before its deadline" }
      ])
    }).pipe(
      Effect.provide(layerTest({ run: () => Effect.never, settings: { backoff: steady, taskTimeout: seconds(30) } }))
    )
  )

  it.effect("a timeout waits for the runner's clean-up, and the slot is held until then", () =>
    Effect.gen(function* () {
      const cleaned = yield* Deferred.make<void>()
      const engine = yield* start(
        (running) =>
          running.id === id ? Effect.onInterrupt(Effect.never, () => Deferred.await(cleaned)) : Effect.succeed(""),
        { tasks: [task, submitted(2)], settings: { taskTimeout: seconds(30), concurrency: 1 } }
      )
      yield* TestClock.adjust(seconds(60))
      assert.strictEqual((yield* engine.get(id)).status, "PROCESSING")
      assert.strictEqual((yield* engine.get(idOf(2))).status, "PENDING")
      yield* Deferred.succeed(cleaned, undefined)
      yield* eventually(engine.get(id), ({ attempts }) => attempts[0]?.outcome === "timeout")
      yield* engine.reaches(idOf(2), "COMPLETED")
    })
  )

  const defects = {
    "a runner that dies": () => Effect.die(new Error("boom")),
    "a runner that throws before it begins": () => {
      throw new Error("boom")
    },
    "a runner that interrupts itself": () => Effect.interrupt
  }
  for (const [what, run] of Object.entries(defects)) {
    it.effect(`${what} fails its task as a defect, says so in the log, and the next task runs`, () =>
      Effect.gen(function* () {
        const engine = yield* start((running) => (running.id === id ? run() : Effect.succeed("")), {
          tasks: [task, submitted(2)],
          settings: { concurrency: 1 }
        })
        yield* engine.reaches(idOf(2), "COMPLETED")
        const failed = yield* engine.get(id)
        assert.deepStrictEqual([failed.status, failed.failure?.reason, failed.attempt], ["FAILED", "defect", 1])
        assert.match(failed.logs.at(-1) ?? "", /failed for good \(defect\): .*(boom|interrupted itself)/)
        const line = engine.logged.find((logged) => logged.startsWith("Error Attempt died of a defect"))
        assert.include(line, `"task_id":"${id}","attempt":1`)
      })
    )
  }

  it.effect("a defect whose very look throws does not keep its task from its verdict", () =>
    Effect.gen(function* () {
      const hostile = new Proxy(
        {},
        {
          get: () => {
            throw new Error("do not look")
          }
        }
      )
      const engine = yield* start(() => Effect.die(hostile), { tasks: [task] })
      assert.strictEqual((yield* engine.reaches(id, "FAILED")).failure?.reason, "defect")
    })
  )

  it.effect("every line that concerns an attempt names its task and number, the runner's own lines too", () =>
    Effect.gen(function* () {
      const engine = yield* start(
        () => Effect.andThen(Effect.logInfo("from the runner"), Effect.fail(permanent("no"))),
        {
          tasks: [task]
        }
      )
      yield* engine.reaches(id, "FAILED")
      yield* engine.stop
      for (const start of ["Info from the runner", "Warn Attempt failed for good: no"]) {
        const line = engine.logged.find((logged) => logged.startsWith(start))
        assert.include(line, `{"task_id":"${id}","attempt":1}`)
      }
    })
  )
})
