import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { permanent, retryable } from "../../src/domain/TaskError.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { after, submitted } from "../support/tasks.ts"
import { quiet, type Run, seconds, start } from "./engine.ts"

describe("statistics", () => {
  it.effect("tell of each minute what came, what became of it, and how long it waited and ran", () =>
    Effect.gen(function* () {
      const run: Run = ({ content }) => Effect.as(Effect.sleep(seconds(20)), content)
      const engine = yield* start(run, { settings: { concurrency: 1 } })
      yield* TestClock.adjust(seconds(60))
      yield* engine.orchestrator.submitAll([{ content: "a" }, { content: "b" }])
      yield* quiet
      yield* TestClock.adjust(seconds(20))
      yield* TestClock.adjust(seconds(20))
      yield* engine.orchestrator.submit({ content: "c" })
      yield* quiet
      yield* TestClock.adjust(seconds(20))
      const { minutes, since } = yield* engine.lastHour
      assert.strictEqual(since, 0)
      assert.deepStrictEqual(
        minutes.map(({ at, completed, submitted }) => [at, submitted, completed]),
        [
          [60_000, 3, 2],
          [120_000, 0, 1]
        ]
      )
      assert.approximately(minutes[0]?.run?.p50 ?? 0, 20, 2)
      assert.strictEqual(minutes[0]?.wait?.p50, 0)
      assert.approximately(minutes[0]?.wait?.p95 ?? 0, 20, 2)
      assert.isNull(minutes[1]?.wait)
      yield* TestClock.adjust("2 hours")
      assert.deepInclude(yield* engine.lastHour, { since: 63 * 60_000, minutes: [], failures: [] })
    })
  )

  it.effect("tell of failures for good, of those that are tried again, and of what was cancelled", () =>
    Effect.gen(function* () {
      const run: Run = ({ attempt, content }) =>
        content === "waits"
          ? Effect.never
          : attempt === 1
            ? Effect.fail(retryable("no route to 10.0.0.1"))
            : Effect.fail(permanent("no route to 10.0.0.2"))
      const engine = yield* start(run)
      yield* engine.orchestrator.submitAll([{ content: "a" }, { content: "b" }])
      const { id } = yield* engine.orchestrator.submit({ content: "waits" })
      yield* quiet
      yield* engine.orchestrator.cancel(id)
      yield* TestClock.adjust(seconds(5))
      yield* quiet
      const { failures, minutes } = yield* engine.lastHour
      assert.deepInclude(minutes[0], { submitted: 3, retried: 2, completed: 0, failed: { cancelled: 1, error: 2 } })
      assert.lengthOf(failures, 1)
      assert.deepInclude(failures[0], { reason: "error", type: "default", message: "no route to 10.0.0.2", count: 4 })
    })
  )

  it.effect("know what had failed within the hour before the start", () =>
    Effect.gen(function* () {
      const failed = (n: number, message: string, at: number) =>
        after(submitted(n), Lifecycle.claim(at - 1), Lifecycle.fail("error", message, at))
      const minute = 60_000
      yield* TestClock.setTime(100 * minute)
      const tasks = [
        failed(1, "gone 1", 90 * minute),
        failed(2, "gone 2", 80 * minute),
        failed(3, "gone 3", 30 * minute),
        after(submitted(4), Lifecycle.cancel(99 * minute))
      ]
      const engine = yield* start(() => Effect.succeed(""), { tasks })
      const { failures, minutes } = yield* engine.lastHour
      assert.deepStrictEqual(
        failures.map(({ count, firstAt, lastAt, message }) => [message, count, firstAt, lastAt]),
        [["gone 1", 2, 80 * minute, 90 * minute]]
      )
      assert.deepStrictEqual(minutes, [])
    })
  )
})
