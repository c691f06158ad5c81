import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Latch, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import { retryable } from "../../src/domain/TaskError.ts"
import { Orchestrator } from "../../src/engine/Orchestrator.ts"
import type { StateRepository } from "../../src/ports/StateRepository.ts"
import { layerTest, TestQueue } from "../../src/testing.ts"
import { idOf, submitted } from "../support/tasks.ts"
import { eventually, type Options, quiet, type Run, seconds, start } from "./engine.ts"

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)

/** Counts what the dispatcher asks the repository for. */
const counting = () => {
  const asked = { claims: 0, nextDue: 0 }
  const wrap = (repository: StateRepository["Service"]): StateRepository["Service"] => ({
    ...repository,
    claim: (options) =>
      Effect.suspend(() => {
        asked.claims++
        return repository.claim(options)
      }),
    nextDue: (types) =>
      Effect.suspend(() => {
        asked.nextDue++
        return repository.nextDue(types)
      })
  })
  return { asked, wrap }
}

const done: Run = () => Effect.succeed("")

describe("what runs, and when", () => {
  it.effect("never more at once than the limit, and in the end all of them", () =>
    Effect.gen(function* () {
      let running = 0
      let most = 0
      const run: Run = () =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            most = Math.max(most, ++running)
          }),
          () => Effect.as(Effect.sleep(seconds(1)), ""),
          () => Effect.sync(() => running--)
        )
      const engine = yield* start(run, {
        tasks: numbers(0, 1000).map((n) => submitted(n)),
        settings: { concurrency: 64 }
      })
      yield* TestClock.adjust(seconds(16))
      assert.strictEqual((yield* engine.repository.counts).COMPLETED, 1000)
      assert.strictEqual(most, 64)
    })
  )

  it.effect("attempts that end at once keep no one waiting", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, {
        tasks: numbers(0, 1000).map((n) => submitted(n)),
        settings: { concurrency: 3 }
      })
      yield* eventually(engine.repository.counts, ({ COMPLETED }) => COMPLETED === 1000)
      assert.strictEqual(yield* engine.dispatcher.running, 0)
    })
  )

  it.effect("one at a time they run by priority, then by due time, then by age", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const engine = yield* start(
        (task) =>
          Effect.sync(() => {
            order.push(task.content)
            return ""
          }),
        {
          tasks: [
            submitted(4, { content: "last", priority: 9 }),
            submitted(3, { content: "third" }),
            submitted(2, { content: "second" }),
            submitted(5, { content: "first", priority: -1 })
          ],
          settings: { concurrency: 1 }
        }
      )
      yield* engine.reaches(idOf(4), "COMPLETED")
      assert.deepStrictEqual(order, ["first", "second", "third", "last"])
    })
  )

  it.effect("an urgent task overtakes those that wait, not the one that runs", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const go = yield* Latch.make()
      const engine = yield* start(
        (task) => Effect.as(go.await, "").pipe(Effect.ensuring(Effect.sync(() => order.push(task.content)))),
        {
          tasks: [submitted(1, { content: "running" }), submitted(2, { content: "waiting" })],
          settings: { concurrency: 1 }
        }
      )
      yield* engine.reaches(idOf(1), "PROCESSING")
      const urgent = yield* engine.orchestrator.submit({ content: "urgent", priority: -100 })
      yield* go.open
      yield* engine.reaches(idOf(2), "COMPLETED")
      yield* engine.reaches(urgent.id, "COMPLETED")
      assert.deepStrictEqual(order, ["running", "urgent", "waiting"])
    })
  )

  it.effect("a task for later runs at its time and not a millisecond before", () =>
    Effect.gen(function* () {
      const { get, submit } = yield* Orchestrator
      const queue = yield* TestQueue
      const { id } = yield* submit({ content: "", delay: "1 hour" })
      yield* queue.advance(3_599_999)
      assert.strictEqual((yield* get(id)).attempt, 0)
      assert.deepStrictEqual(yield* queue.jump, Option.some(3_600_000))
      assert.strictEqual((yield* get(id)).startedAt, 3_600_000)
    }).pipe(Effect.provide(layerTest({ run: done })))
  )

  it.effect("a task that is due earlier than the one waited for is not late", () =>
    Effect.gen(function* () {
      const { submit } = yield* Orchestrator
      const queue = yield* TestQueue
      yield* submit({ content: "", runAt: 100_000 })
      yield* queue.advance("10 seconds")
      const { id } = yield* submit({ content: "", runAt: 20_000 })
      yield* queue.advance("10 seconds")
      yield* queue.assertSubmitted({ id, startedAt: 20_000 })
    }).pipe(Effect.provide(layerTest({ run: done })))
  )

  it.effect("where others share the repository, what no hint has told of runs within seconds all the same", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, {
        tasks: [submitted(1, { runAt: 3_600_000 })],
        wrap: (repository) => ({ ...repository, isShared: true, wake: Stream.never })
      })
      for (const n of [2, 3]) {
        yield* engine.repository.insert([submitted(n)])
        yield* TestClock.adjust(4999)
        assert.strictEqual((yield* engine.get(idOf(n))).status, "PENDING")
        yield* TestClock.adjust(1)
        yield* engine.reaches(idOf(n), "COMPLETED")
      }
    })
  )

  it.effect(
    "a task runs within a minute of its time also when the wall clock is set forward, which no timer knows",
    () =>
      Effect.gen(function* () {
        const clock = yield* Clock.Clock
        let ahead = 0
        const settable: Clock.Clock = {
          ...clock,
          currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + ahead,
          currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + ahead)
        }
        const hours = 3_600_000
        const engine = yield* start(done, { tasks: [submitted(1, { runAt: 10 * hours })], clock: settable })
        ahead = 10 * hours
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* engine.get(idOf(1))).status, "COMPLETED")
      })
  )

  it.effect("a task submitted to an idle engine runs at once, thousands of them too", () =>
    Effect.gen(function* () {
      const engine = yield* start(done)
      yield* quiet
      for (const round of numbers(0, 3)) {
        yield* Effect.forEach(numbers(0, 700), (n) => engine.orchestrator.submit({ content: `${round} ${n}` }), {
          concurrency: "unbounded"
        })
        yield* eventually(engine.repository.counts, ({ COMPLETED }) => COMPLETED === 700 * (round + 1))
      }
    })
  )

  it.effect("two attempts of one task never run at once, however fast it is retried", () =>
    Effect.gen(function* () {
      const running = new Set<string>()
      let overlaps = 0
      const engine = yield* start(
        ({ attempt, id }) =>
          Effect.gen(function* () {
            if (running.has(id)) overlaps++
            running.add(id)
            yield* Effect.yieldNow
            running.delete(id)
            return yield* attempt < 20 ? Effect.fail(retryable("again", seconds(0))) : Effect.succeed("")
          }),
        { tasks: [submitted(1, { maxAttempts: 20 })] }
      )
      yield* engine.reaches(idOf(1), "COMPLETED")
      assert.strictEqual(overlaps, 0)
    })
  )
})

describe("the dispatcher at rest", () => {
  const idleFor = (options: Options) =>
    Effect.gen(function* () {
      const { asked, wrap } = counting()
      const engine = yield* start(done, { ...options, wrap })
      yield* quiet
      const before = { ...asked }
      yield* TestClock.adjust("1 hour")
      return { engine, claims: asked.claims - before.claims, nextDue: asked.nextDue - before.nextDue }
    })

  it.effect("asks nothing in an hour with nothing to do", () =>
    Effect.gen(function* () {
      const { claims, nextDue } = yield* idleFor({})
      assert.deepStrictEqual([claims, nextDue], [0, 0])
    })
  )

  it.effect("asks no more than it must in an hour with one task at its 59th minute", () =>
    Effect.gen(function* () {
      const { claims, engine } = yield* idleFor({ tasks: [submitted(1, { runAt: 59 * 60_000 })] })
      assert.strictEqual((yield* engine.get(idOf(1))).startedAt, 59 * 60_000)
      assert.isAtMost(claims, 2, "one for the task, one because it ended")
    })
  )

  it.effect("asks nothing while all that is due is of types that nobody here has work for", () =>
    Effect.gen(function* () {
      const tasks = [submitted(1, { type: "mail" }), submitted(2, { type: "sms" }), submitted(3, { type: "mail" })]
      const { claims, engine } = yield* idleFor({ tasks, types: new Set(["sms"]) })
      assert.strictEqual(claims, 0)
      assert.strictEqual((yield* engine.get(idOf(2))).status, "COMPLETED")
      const { reasons, sentence } = yield* engine.orchestrator.why(idOf(1))
      assert.deepStrictEqual(reasons, [{ code: "no_handler", message: "no handler for type mail here" }])
      assert.strictEqual(sentence, "No handler for type mail here.")
      assert.strictEqual((yield* engine.get(idOf(3))).status, "PENDING")
      yield* engine.orchestrator.cancel(idOf(3))
      const { id } = yield* engine.orchestrator.submit({ content: "one more", type: "sms" })
      yield* engine.reaches(id, "COMPLETED")
    })
  )

  it.effect("asks nothing while every slot is taken, whatever comes in", () =>
    Effect.gen(function* () {
      const { asked, wrap } = counting()
      const engine = yield* start(() => Effect.never, { tasks: [submitted(1)], settings: { concurrency: 1 }, wrap })
      yield* engine.reaches(idOf(1), "PROCESSING")
      const before = asked.claims
      yield* Effect.forEach(numbers(0, 50), (n) => engine.orchestrator.submit({ content: String(n) }))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(asked.claims, before)
    })
  )

  it.effect("asks no more than a hundred times a second for what is due and cannot be had", () =>
    Effect.gen(function* () {
      const { asked, wrap } = counting()
      yield* start(done, {
        tasks: [submitted(1)],
        wrap: (repository) => wrap({ ...repository, claim: () => Effect.succeed([]) })
      })
      yield* TestClock.adjust(seconds(1))
      assert.isAtMost(asked.claims, 101)
    })
  )
})

describe("the dispatcher's death", () => {
  const dying = (deaths: number, die: Effect.Effect<never>) => {
    let left = deaths
    return (repository: StateRepository["Service"]): StateRepository["Service"] => ({
      ...repository,
      claim: (options) => Effect.suspend(() => (left-- > 0 ? die : repository.claim(options)))
    })
  }
  const deaths = { "a defect": Effect.die(new Error("boom")), "an interruption from within": Effect.interrupt }

  for (const [what, die] of Object.entries(deaths)) {
    it.effect(`by ${what} is counted, logged, told by readiness, and over after a second`, () =>
      Effect.gen(function* () {
        const engine = yield* start(done, { tasks: [submitted(1)], wrap: dying(2, die) })
        yield* quiet
        assert.deepStrictEqual(yield* engine.dispatcher.health, { _tag: "Restarting", deaths: 1 })
        assert.deepStrictEqual(yield* engine.orchestrator.readiness, ["the dispatcher died (1 times so far)"])
        yield* TestClock.adjust(seconds(1))
        assert.deepStrictEqual(yield* engine.dispatcher.health, { _tag: "Restarting", deaths: 2 })
        yield* TestClock.adjust(seconds(1))
        assert.strictEqual((yield* engine.get(idOf(1))).status, "COMPLETED")
        assert.deepStrictEqual(yield* engine.orchestrator.readiness, [])
        assert.strictEqual(engine.logged.filter((line) => line.startsWith("Error The dispatcher died")).length, 2)
      })
    )
  }

  it.effect("leaves running attempts alone", () =>
    Effect.gen(function* () {
      const go = yield* Latch.make()
      let broken = false
      const engine = yield* start(() => Effect.as(go.await, "done"), {
        tasks: [submitted(1)],
        wrap: (repository) => ({
          ...repository,
          claim: (options) => Effect.suspend(() => (broken ? Effect.die("boom") : repository.claim(options)))
        })
      })
      yield* engine.reaches(idOf(1), "PROCESSING")
      broken = true
      yield* engine.orchestrator.submit({ content: "x" })
      yield* eventually(engine.dispatcher.health, ({ _tag }) => _tag === "Restarting")
      yield* go.open
      assert.strictEqual((yield* engine.reaches(idOf(1), "COMPLETED")).result, "done")
    })
  )

  it.effect("of the repository's hints is a death too: no task waits for a hint that never comes", () =>
    Effect.gen(function* () {
      let ended = false
      const engine = yield* start(done, {
        wrap: (repository) => ({
          ...repository,
          wake: Stream.suspend(() => {
            if (ended) return repository.wake
            ended = true
            return Stream.empty
          })
        })
      })
      yield* eventually(engine.dispatcher.health, ({ _tag }) => _tag === "Restarting")
      yield* TestClock.adjust(seconds(1))
      const { id } = yield* engine.orchestrator.submit({ content: "x" })
      yield* engine.reaches(id, "COMPLETED")
    })
  )

  it.effect("a task whose deadline passes while it waits is FAILED at that moment, and never claimed", () =>
    Effect.gen(function* () {
      const ran: Array<string> = []
      const engine = yield* start(
        ({ content }) =>
          Effect.andThen(
            Effect.sync(() => ran.push(content)),
            Effect.never
          ),
        {
          tasks: [
            submitted(1, { content: "runs", priority: -1 }),
            submitted(2, { content: "waits for a slot", deadline: 5000 }),
            submitted(3, { content: "is not due", runAt: 9000, deadline: 7000 }),
            submitted(4, { content: "came too late", deadline: 0 })
          ],
          settings: { concurrency: 1, taskTimeout: seconds(60) }
        }
      )
      const statusOf = (n: number) => Effect.map(engine.get(idOf(n)), ({ status }) => status)
      assert.strictEqual(yield* statusOf(4), "FAILED")
      yield* TestClock.adjust(4999)
      assert.strictEqual(yield* statusOf(2), "PENDING")
      yield* TestClock.adjust(1)
      const expired = yield* engine.reaches(idOf(2), "FAILED")
      assert.deepStrictEqual(expired.failure, {
        reason: "timeout",
        message: "its deadline was 1970-01-01T00:00:05.000Z"
      })
      yield* TestClock.adjust(2000)
      yield* engine.reaches(idOf(3), "FAILED")
      assert.deepStrictEqual(ran, ["runs"])
      const late = yield* engine.orchestrator.submit({ content: "deadline far away", deadline: 20_000 })
      yield* TestClock.adjust(13_000)
      assert.strictEqual((yield* engine.reaches(late.id, "FAILED")).attempt, 0)
    })
  )
})
