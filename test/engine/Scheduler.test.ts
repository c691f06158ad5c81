import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { ScheduleRequest } from "../../src/domain/Schedule.ts"
import { Schedules } from "../../src/engine/Schedules.ts"
import type { StateRepository } from "../../src/ports/StateRepository.ts"
import { StorageError } from "../../src/ports/StorageError.ts"
import { layerTest, TestQueue } from "../../src/testing.ts"
import { eventually, type Options, quiet, type Run, seconds, start, type TestEngine } from "./engine.ts"

type Repository = StateRepository["Service"]

const atOnce: Run = () => Effect.succeed("")

const hourly: ScheduleRequest = { cron: "0 * * * *", task: { content: "hourly" } }
const everyMinute: ScheduleRequest = { every: "1 minute", task: { content: "minute" } }

/** The times of day at which the tasks of all schedules were to run, in their order. */
const slots = ({ repository }: Pick<TestEngine, "repository">) =>
  Effect.map(repository.page({}, { limit: 10_000 }), ({ tasks }) =>
    tasks.map(({ runAt }) => new Date(runAt).toISOString().slice(11, 19)).toReversed()
  )

/** Another process over what this one leaves. */
const restart = (run: Run, { repository }: TestEngine, options: Options = {}) =>
  Effect.map(start(run, { ...options, wrap: () => repository }), (engine) => ({ ...engine, repository }))

/** A storage that refuses while it is told to. */
const storage = () => {
  const state = { refuses: false, asked: 0 }
  const unlessRefused =
    <A extends ReadonlyArray<unknown>, B, E>(verb: (...args: A) => Effect.Effect<B, E>) =>
    (...args: A) =>
      Effect.suspend((): Effect.Effect<B, E | StorageError> => {
        state.asked++
        return state.refuses ? Effect.fail(new StorageError({ reason: "no" })) : verb(...args)
      })
  const wrap = (repository: Repository): Repository => ({
    ...repository,
    insert: unlessRefused(repository.insert),
    put: unlessRefused(repository.put)
  })
  return { state, wrap }
}

describe("a schedule", () => {
  it.effect("is not put where a field or its name is wrong, and says which", () =>
    Effect.gen(function* () {
      const engine = yield* start(atOnce)
      for (const [name, request, path] of [
        ["a", { every: "often", task: { content: "x" } }, "every"],
        ["a", { every: "1 minute", task: { content: "x", priority: 0.5 } }, "task.priority"],
        ["no name", hourly, "name"]
      ] as const) {
        const error = yield* Effect.flip(engine.schedules.put(name, request))
        assert.isTrue(error._tag === "InvalidContent" && error.issues[0]?.path === path, path)
      }
      assert.deepStrictEqual(yield* engine.schedules.list, [])
    })
  )

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
      assert.deepStrictEqual(yield* slots(engine), ["01:00:00", "02:00:00"])
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
      const queue = yield* TestQueue
      yield* (yield* Schedules).put("month", hourly)
      yield* queue.advance("30 days")
      const ran = (yield* queue.submitted).map(({ runAt }) => runAt)
      assert.strictEqual(ran.length, 720)
      assert.strictEqual(new Set(ran).size, 720)
    }).pipe(Effect.provide(layerTest({ run: atOnce })))
  )

  it.effect("runs beside others, each in its time", () =>
    Effect.gen(function* () {
      const queue = yield* TestQueue
      const { list, put } = yield* Schedules
      for (let n = 0; n < 100; n++) yield* put(`of/${n}`, hourly)
      yield* put("minute", everyMinute)
      yield* queue.advance("1 hour")
      assert.strictEqual((yield* queue.submitted).length, 160)
      assert.strictEqual((yield* list).length, 101)
    }).pipe(Effect.provide(layerTest({ run: atOnce })))
  )

  it.effect("goes by what it is now: changed, paused, resumed, deleted", () =>
    Effect.gen(function* () {
      const engine = yield* start(atOnce)
      yield* engine.schedules.put("a", hourly)
      yield* TestClock.adjust("30 minutes")
      const { isNew, schedule } = yield* engine.schedules.put("a", { cron: "45 * * * *", task: { content: "b" } })
      assert.isFalse(isNew)
      assert.strictEqual(schedule.nextRun, 45 * 60_000)
      yield* TestClock.adjust("40 minutes")
      assert.deepStrictEqual(yield* slots(engine), ["00:45:00"])
      yield* engine.schedules.put("a", { cron: "45 * * * *", task: { content: "b" }, paused: true, missed: "once" })
      yield* TestClock.adjust("5 hours")
      yield* engine.schedules.put("a", { cron: "45 * * * *", task: { content: "b" }, missed: "once" })
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* slots(engine), ["00:45:00", "06:45:00"])
      yield* engine.schedules.remove("a")
      yield* TestClock.adjust("5 hours")
      assert.strictEqual((yield* engine.tasks).length, 2)
      assert.strictEqual((yield* Effect.flip(engine.schedules.get("a")))._tag, "ScheduleNotFound")
      assert.strictEqual((yield* Effect.flip(engine.schedules.remove("a")))._tag, "ScheduleNotFound")
    })
  )

  it.effect("looks at nothing between its slots", () =>
    Effect.gen(function* () {
      let asked = 0
      const count = <A, E>(effect: Effect.Effect<A, E>) => Effect.suspend(() => (asked++, effect))
      const engine = yield* start(atOnce, {
        wrap: (repository) => ({
          ...repository,
          insert: (tasks, put) => count(repository.insert(tasks, put)),
          entry: (name) => count(repository.entry(name)),
          entries: (prefix) => count(repository.entries(prefix))
        })
      })
      yield* engine.schedules.put("a", { cron: "0 0 1 * *", task: { content: "monthly" } })
      yield* quiet
      const before = asked
      yield* TestClock.adjust("20 days")
      assert.strictEqual(asked, before)
      yield* TestClock.adjust("20 days")
      assert.strictEqual(asked, before + 1)
    })
  )

  it.effect("with a unique key has no run beside one that is not finished: that one is its run", () =>
    Effect.gen(function* () {
      const queue = yield* TestQueue
      const schedules = yield* Schedules
      yield* schedules.put("a", { every: "1 minute", task: { content: "x", uniqueKey: "only one" } })
      yield* queue.advance("2 minutes")
      const [only, ...others] = yield* queue.submitted
      assert.deepStrictEqual(others, [])
      assert.deepStrictEqual((yield* schedules.get("a")).lastRun, { slot: 120_000, taskId: only?.id })
      yield* queue.advance("3 minutes")
      assert.deepStrictEqual(
        (yield* queue.submitted).map(({ runAt }) => runAt),
        [60_000, 240_000]
      )
    }).pipe(Effect.provide(layerTest({ run: () => Effect.as(Effect.sleep("150 seconds"), "") })))
  )
})

describe("slots that pass", () => {
  it.effect("while no process runs are skipped, or made up for once, as the schedule says", () =>
    Effect.gen(function* () {
      const first = yield* start(atOnce)
      yield* first.schedules.put("skips", { ...everyMinute, missed: "skip" })
      yield* first.schedules.put("makes-up", { every: 60_000, task: { content: "once" }, missed: "once" })
      yield* TestClock.adjust("90 seconds")
      yield* first.stop
      yield* TestClock.adjust("10 minutes")
      const second = yield* restart(atOnce, first)
      yield* quiet
      assert.deepStrictEqual(yield* slots(second), ["00:01:00", "00:01:00", "00:11:00"])
      const [made] = (yield* second.repository.page({}, { limit: 1 })).tasks
      assert.include(made, { content: "once", createdAt: 690_000 })
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual((yield* slots(second)).slice(3), ["00:12:00", "00:12:00"])
      assert.isTrue(
        second.logged.some((line) =>
          line.includes(
            "The schedule skips has missed its slots from 1970-01-01T00:02:00.000Z to 1970-01-01T00:11:00.000Z"
          )
        )
      )
    })
  )

  it.effect("while storage refuses are missed, and the next one runs", () =>
    Effect.gen(function* () {
      const { state, wrap } = storage()
      const engine = yield* start(atOnce, { wrap })
      yield* engine.schedules.put("skips", everyMinute)
      yield* engine.schedules.put("makes-up", { ...everyMinute, missed: "once" })
      state.refuses = true
      yield* TestClock.adjust("200 seconds")
      assert.deepStrictEqual(yield* engine.tasks, [])
      // it tries once a second, from the first slot on
      assert.isAtMost(state.asked, 2 * 142)
      state.refuses = false
      yield* TestClock.adjust(seconds(2))
      assert.deepStrictEqual(yield* slots(engine), ["00:03:00"])
      yield* TestClock.adjust(seconds(40))
      assert.deepStrictEqual(yield* slots(engine), ["00:03:00", "00:04:00", "00:04:00"])
      assert.strictEqual(engine.logged.filter((line) => line.includes("Schedules wait")).length, 1)
    })
  )

  it.effect("while the queue is full are missed too", () =>
    Effect.gen(function* () {
      const engine = yield* start(() => Effect.never, { maxPending: 1 })
      const { id } = yield* engine.orchestrator.submit({ content: "in the way" })
      yield* engine.schedules.put("skips", everyMinute)
      yield* TestClock.adjust("150 seconds")
      assert.strictEqual((yield* engine.schedules.get("skips")).lastSlot, 120_000)
      yield* engine.orchestrator.cancel(id)
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual((yield* slots(engine)).slice(1), ["00:03:00"])
    })
  )

  it.effect("while the machine sleeps are missed: of what is left by the wall clock the last minute runs", () =>
    Effect.gen(function* () {
      const clock = yield* leaping
      const engine = yield* start(atOnce, { clock: clock.clock })
      yield* engine.schedules.put("skips", everyMinute)
      yield* TestClock.adjust("61 seconds")
      clock.leap(3_600_000)
      yield* TestClock.adjust("61 seconds")
      const ran = yield* slots(engine)
      assert.strictEqual(ran[0], "00:01:00")
      assert.deepStrictEqual(ran.slice(1), ["01:01:00", "01:02:00"])
    })
  )

  it.effect("are not run again when the clock is set back", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("10 hours")
      const clock = yield* leaping
      const engine = yield* start(atOnce, { clock: clock.clock })
      yield* engine.schedules.put("a", everyMinute)
      yield* TestClock.adjust("5 minutes")
      clock.leap(-240_000)
      yield* TestClock.adjust("4 minutes")
      assert.strictEqual((yield* engine.tasks).length, 5)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual((yield* slots(engine)).slice(4), ["10:05:00", "10:06:00"])
      // a schedule that is put before the time when the process began is looked after too
      clock.leap(-3_600_000)
      const put = engine.schedules.put("b", { every: "30 seconds", task: { content: "new" } })
      yield* Effect.provideService(put, Clock.Clock, clock.clock)
      yield* TestClock.adjust("30 seconds")
      assert.isTrue((yield* engine.tasks).some(({ content }) => content === "new"))
    })
  )

  it.effect("after the stop has begun run no more", () =>
    Effect.gen(function* () {
      const work: Run = () => Effect.as(Effect.sleep("4 minutes"), "")
      const engine = yield* start(work, { settings: { shutdownGrace: Duration.minutes(10) } })
      yield* engine.schedules.put("a", everyMinute)
      yield* TestClock.adjust("1 minute")
      const stopping = yield* Effect.forkChild(engine.stop, { startImmediately: true })
      yield* TestClock.adjust("3 minutes")
      assert.strictEqual((yield* Effect.flip(engine.schedules.put("b", hourly)))._tag, "ServiceDraining")
      yield* TestClock.adjust("2 minutes")
      yield* Fiber.join(stopping)
      assert.deepStrictEqual(
        (yield* engine.tasks).map(({ status }) => status),
        ["COMPLETED"]
      )
    })
  )
})

describe("a slot", () => {
  it.effect("has one run, though two processes look after one store, and somebody changes its schedule", () =>
    Effect.gen(function* () {
      const one = yield* start(atOnce)
      yield* one.schedules.put("a", everyMinute)
      const other = yield* restart(atOnce, one)
      for (let minute = 1; minute <= 30; minute++) {
        yield* TestClock.adjust("1 minute")
        yield* quiet
        if (minute % 7 === 0) yield* other.schedules.put("a", { ...everyMinute, task: { content: `${minute}` } })
      }
      const ran = yield* slots(one)
      assert.strictEqual(ran.length, 30)
      assert.strictEqual(new Set(ran).size, 30)
    })
  )

  it.effect("is not lost where what is kept cannot be read: others run, and it says so", () =>
    Effect.gen(function* () {
      const engine = yield* start(atOnce)
      yield* engine.repository.put({ name: "schedule/odd", value: { a: 1 }, expects: 0, expiresAt: null, now: 0 })
      yield* engine.schedules.put("a", everyMinute)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* engine.tasks).length, 1)
      assert.isTrue(engine.logged.some((line) => line.includes("schedule/odd is no schedule that this version knows")))
      assert.deepStrictEqual(
        (yield* engine.schedules.list).map(({ name }) => name),
        ["a"]
      )
      // it can be replaced and deleted
      assert.isFalse((yield* engine.schedules.put("odd", hourly)).isNew)
      yield* engine.schedules.remove("odd")
    })
  )

  it.effect("comes after a defect as before it", () =>
    Effect.gen(function* () {
      let dies = true
      const engine = yield* start(atOnce, {
        wrap: (repository) => ({
          ...repository,
          insert: (tasks, put) => (dies ? Effect.die("boom") : repository.insert(tasks, put))
        })
      })
      yield* engine.schedules.put("a", everyMinute)
      yield* TestClock.adjust("1 minute")
      dies = false
      yield* TestClock.adjust("1 minute")
      yield* eventually(slots(engine), (ran) => ran.includes("00:02:00"))
      assert.isTrue(engine.logged.some((line) => line.startsWith("Error The scheduler met a defect")))
    })
  )
})

/** The test's clock, and a way to set its wall clock. */
const leaping = Effect.map(Clock.Clock, (own) => {
  let offset = 0
  const millis = () => own.currentTimeMillisUnsafe() + offset
  const nanos = () => BigInt(millis()) * 1_000_000n
  const clock: Clock.Clock = {
    ...own,
    sleep: (duration) => own.sleep(duration),
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos)
  }
  return {
    clock,
    leap: (by: number) => {
      offset += by
    }
  }
})
