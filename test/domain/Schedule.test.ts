import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as Schedule from "../../src/domain/Schedule.ts"
import { idOf } from "../support/tasks.ts"

const minute = 60_000
const task = { content: "x", priority: 2 }
const everyMinute: Schedule.ScheduleRequest = { every: "1 minute", task }

const made = (request: Partial<Schedule.ScheduleRequest> = {}, now = 0, before?: Schedule.Schedule) =>
  Schedule.make("a", { ...everyMinute, ...request }, before, now)

/** The schedule after its slots up to `now`, with the slots that ran and the ranges that were skipped. */
const caughtUp = (schedule: Schedule.Schedule, now: number, attentiveSince: number) => {
  const ran: Array<number> = []
  const skipped: Array<readonly [number, number]> = []
  let state = schedule
  for (let step = Schedule.step(state, now, attentiveSince); step; step = Schedule.step(state, now, attentiveSince)) {
    if (step._tag === "Run") ran.push(step.slot)
    else skipped.push([step.first, step.last])
    state = step._tag === "Run" ? step.done(idOf(step.slot)) : step.done
  }
  return { ran, skipped, state }
}

describe("a schedule", () => {
  it("runs each slot that comes while somebody looks", () => {
    const { ran, skipped, state } = caughtUp(made(), 3.5 * minute, 0)
    assert.deepStrictEqual(ran, [minute, 2 * minute, 3 * minute])
    assert.deepStrictEqual(skipped, [])
    assert.deepInclude(state, {
      nextRun: 4 * minute,
      lastSlot: 3 * minute,
      lastRun: { slot: 3 * minute, taskId: idOf(3 * minute) }
    })
    assert.isUndefined(Schedule.step(state, 4 * minute - 1, 0))
  })

  it("makes the task of its template, due at the slot", () => {
    const step = Schedule.step(made(), minute, 0)
    assert.deepStrictEqual(step?._tag === "Run" ? step.task : undefined, { ...task, runAt: minute })
  })

  it("skips what passed unseen, or makes up for the last of it alone", () => {
    const skipping = caughtUp(made({ missed: "skip" }), 10.5 * minute, 9.5 * minute)
    assert.deepStrictEqual(skipping.skipped, [[minute, 9 * minute]])
    assert.deepStrictEqual(skipping.ran, [10 * minute])
    assert.deepStrictEqual(caughtUp(made({ missed: "once" }), 10.5 * minute, 9.5 * minute).ran, [
      9 * minute,
      10 * minute
    ])
    // none is skipped unless somebody says otherwise
    assert.deepStrictEqual(caughtUp(made(), 10.5 * minute, 9.5 * minute).skipped, [[minute, 9 * minute]])
    assert.strictEqual(skipping.state.lastRun?.slot, 10 * minute)
  })

  it("a slot at the very moment that somebody begins to look is not missed", () => {
    assert.deepInclude(caughtUp(made(), 5 * minute, 5 * minute), {
      ran: [5 * minute],
      skipped: [[minute, 4 * minute]]
    })
  })

  it("put again with the same times keeps its slots; with others it begins anew, after what it has done", () => {
    const { state } = caughtUp(made({}, 7), 3.5 * minute, 0)
    const again = made({ every: 60_000, task: { content: "other" } }, 3.7 * minute, state)
    assert.deepInclude(again, { since: 7, createdAt: 7, updatedAt: 3.7 * minute, nextRun: state.nextRun })
    assert.deepInclude(again, { lastRun: state.lastRun, lastSlot: state.lastSlot, task: { content: "other" } })
    const other = made({ every: "2 minutes" }, 3.7 * minute, state)
    assert.deepInclude(other, { since: 3.7 * minute, nextRun: 5.7 * minute, lastRun: state.lastRun })
    const { every: _, ...daily } = everyMinute
    const cron = Schedule.make("a", { ...daily, cron: "0 0 * * *" }, state, 3.7 * minute)
    assert.strictEqual(cron.nextRun, 24 * 60 * minute)
    assert.notProperty(cron, "every")
  })

  it("with other times never comes back to a slot, though the clock was set back", () => {
    const { state } = caughtUp(made(), 10 * minute, 0)
    const { every: _, ...rest } = everyMinute
    assert.strictEqual(Schedule.make("a", { ...rest, cron: "* * * * *" }, state, 2 * minute).nextRun, 11 * minute)
  })

  it("does nothing while paused, and misses nothing either", () => {
    const { state } = caughtUp(made(), 3.5 * minute, 0)
    const paused = made({ paused: true }, 3.5 * minute, state)
    assert.isNull(paused.nextRun)
    assert.isUndefined(Schedule.step(paused, 100 * minute, 0))
    const resumed = made({ missed: "once" }, 50.5 * minute, paused)
    assert.strictEqual(resumed.nextRun, 51 * minute)
    assert.deepStrictEqual(resumed.lastRun, state.lastRun)
  })

  it("ends with the calendar", () => {
    const { every: _, ...rest } = everyMinute
    const last = Schedule.make("a", { ...rest, cron: "0 0 1 1 *" }, undefined, Date.UTC(9998, 5))
    const { ran, state } = caughtUp(last, Date.UTC(9999, 11, 31), 0)
    assert.deepStrictEqual(ran, [Date.UTC(9999, 0)])
    assert.isNull(state.nextRun)
  })

  it("is the same when it was written down and read again", () => {
    const { state } = caughtUp(made({ paused: false, missed: "once" }), 3.5 * minute, 0)
    const wire: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(Schedule.Schedule)(state)))
    assert.deepStrictEqual(Schema.decodeUnknownSync(Schedule.Schedule)(wire), state)
  })

  const AnyEvent = Schema.Struct({
    /** The clock may be set back. */
    elapsed: Schema.Int.check(Schema.isBetween({ minimum: -5 * minute, maximum: 20 * minute })),
    looked: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10 * minute })),
    put: Schema.NullOr(
      Schema.Struct({
        cron: Schema.NullOr(Schema.Literals(["* * * * *", "*/2 * * * *", "30 * * * * *"])),
        missed: Schema.Literals(["skip", "once"]),
        paused: Schema.Boolean
      })
    )
  })

  it.prop(
    "never runs a slot twice nor before its time, whatever is put, missed or set back",
    [Schema.Array(AnyEvent).check(Schema.isMaxLength(30))],
    ([events]) => {
      let state = made()
      let now = 0
      let last = Number.NEGATIVE_INFINITY
      for (const { elapsed, looked, put } of events) {
        now = Math.max(0, now + elapsed)
        if (put !== null) {
          const { cron, ...rest } = put
          state = Schedule.make("a", { task, ...(cron === null ? { every: minute } : { cron }), ...rest }, state, now)
        }
        const { ran, skipped, state: next } = caughtUp(state, now, now - looked)
        for (const slot of ran) {
          assert.isAbove(slot, last)
          assert.isAtMost(slot, now)
          last = slot
        }
        if (state.missed === "once" && ran.length + skipped.length > 0) assert.deepStrictEqual(skipped, [])
        assert.isAtMost(skipped.length, 1)
        for (const slot of ran.slice(1)) assert.isAtLeast(slot, now - looked)
        state = next
        assert.isTrue(state.nextRun === null || state.nextRun > now)
      }
    },
    { arbitrary: { runs: 200 }, timeout: 60_000 }
  )
})

describe("a request for a schedule", () => {
  const decode = Schema.decodeUnknownResult(Schedule.ScheduleRequest, { errors: "all", onExcessProperty: "error" })
  const wire = { every: "1 minute", task: { content: "x" } }

  it("has a task without times", () => {
    assert.isTrue(Result.isSuccess(decode(wire)))
    assert.isTrue(Result.isSuccess(decode({ ...wire, task: { content: "x", max_attempts: 2, unique_key: "k" } })))
    for (const time of [
      { run_at: "2030-01-01T00:00:00Z" },
      { delay: "1 second" },
      { deadline: "2030-01-01T00:00:00Z" }
    ]) {
      assert.isTrue(Result.isFailure(decode({ ...wire, task: { content: "x", ...time } })))
    }
  })
})
