import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import type { ScheduleRequest } from "../../src/domain/Schedule.ts"
import { type Options, type Run, start, type TestEngine } from "./engine.ts"

const atOnce: Run = () => Effect.succeed("")

const hourly: ScheduleRequest = { cron: "0 * * * *", task: { content: "hourly" } }

/** When the tasks of all schedules were to run, in their order. */
const slots = (engine: TestEngine) =>
  Effect.map(engine.tasks, (tasks) => tasks.map(({ runAt }) => new Date(runAt).toISOString().slice(0, 19)).toReversed())

const noSleepTooLong: Options = { settings: { longestSleep: Duration.infinity } }

describe("a schedule", () => {
  it.effect("makes a task at each of its slots, and says which and when", () =>
    Effect.gen(function* () {
      const engine = yield* start(atOnce)
      const { isNew, schedule } = yield* engine.schedules.put("a", { ...hourly, task: { content: "x", priority: 3 } })
      assert.isTrue(isNew)
      assert.strictEqual(schedule.nextRun, 3_600_000)
      assert.strictEqual(schedule.lastRun, null)
      yield* TestClock.adjust("59 minutes")
      assert.deepStrictEqual(yield* engine.tasks, [])
      yield* TestClock.adjust("90 minutes")
      assert.deepStrictEqual(yield* slots(engine), ["1970-01-01T01:00:00", "1970-01-01T02:00:00"])
      const [task] = yield* engine.tasks
      assert.include(task, { content: "x", priority: 3, status: "COMPLETED", createdAt: 7_200_000 })
      assert.include(task?.logs[0], "submitted by the schedule a for 1970-01-01T02:00:00.000Z")
      const shown = yield* engine.schedules.get("a")
      assert.deepStrictEqual(shown.lastRun, { slot: 7_200_000, taskId: task?.id })
      assert.strictEqual(shown.nextRun, 10_800_000)
      assert.strictEqual(shown.lastSlot, 7_200_000)
    })
  )

  it.effect("of every hour runs 720 times in a month of 30 days, in a moment", () =>
    Effect.gen(function* () {
      const engine = yield* start(atOnce, noSleepTooLong)
      yield* engine.schedules.put("month", hourly)
      yield* TestClock.adjust("30 days")
      const ran = yield* slots(engine)
      assert.strictEqual(ran.length, 720)
      assert.strictEqual(new Set(ran).size, 720)
    })
  )
})
