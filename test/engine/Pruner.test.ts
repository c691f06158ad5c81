import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Metric } from "effect"
import { TestClock } from "effect/testing"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { prunedTotal } from "../../src/engine/Pruner.ts"
import type { StateRepository } from "../../src/ports/StateRepository.ts"
import { StorageError } from "../../src/ports/StorageError.ts"
import { after, idOf, submitted } from "../support/tasks.ts"
import { eventually, type Options, quiet, type Run, seconds, start } from "./engine.ts"

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)

const atOnce: Run = () => Effect.succeed("")

/** Tasks that have finished: the n-th at `at(n)`. */
const finished = (count: number, at: (n: number) => number) =>
  numbers(0, count).map((n) => after(submitted(n), Lifecycle.cancel(at(n))))

/** What the pruner asks of the repository, and when. */
const watched = (refuses: () => boolean = () => false) => {
  const asked: Array<{ readonly at: number; readonly limit: number; readonly count: number }> = []
  const wrap = (repository: StateRepository["Service"]): StateRepository["Service"] => ({
    ...repository,
    prune: Effect.fnUntraced(function* (options) {
      const at = yield* Clock.currentTimeMillis
      if (refuses()) {
        asked.push({ at, limit: options.limit, count: 0 })
        return yield* new StorageError({ reason: "no" })
      }
      const pruned = yield* repository.prune(options)
      asked.push({ at, limit: options.limit, count: pruned.count })
      return pruned
    })
  })
  return { asked, wrap }
}

const keepingFor = (retention: Duration.Input, more: Options = {}): Options => ({
  ...more,
  settings: { retention: Duration.fromInputUnsafe(retention), retentionCount: Infinity, ...more.settings }
})

describe("retention", () => {
  it.effect("counts what went, for whoever collects metrics", () =>
    Effect.gen(function* () {
      const before = (yield* Metric.value(prunedTotal)).count
      yield* start(atOnce, keepingFor("1 hour", { tasks: finished(3, () => 0) }))
      yield* TestClock.adjust("2 hours")
      assert.strictEqual((yield* Metric.value(prunedTotal)).count, before + 3)
    })
  )

  it.effect("deletes a finished task when its time is over, and not before", () =>
    Effect.gen(function* () {
      const engine = yield* start(atOnce, keepingFor("1 hour", { tasks: [submitted(1)] }))
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual((yield* engine.get(idOf(1))).status, "COMPLETED")
      yield* TestClock.adjust("61 seconds")
      assert.deepStrictEqual(yield* engine.tasks, [])
      assert.strictEqual(yield* engine.pruned, 1)
      const error = yield* Effect.flip(engine.orchestrator.get(idOf(1)))
      assert.strictEqual(error._tag, "TaskNotFound")
    })
  )

  it.effect("counts from the end of a task, not from its beginning, and never touches one that has not ended", () =>
    Effect.gen(function* () {
      const run: Run = ({ id }) => (id === idOf(1) ? Effect.never : Effect.as(Effect.sleep("2 hours"), ""))
      const engine = yield* start(
        run,
        keepingFor("1 hour", {
          tasks: [submitted(1), submitted(2), submitted(3, { runAt: 1e12 })],
          settings: { taskTimeout: Duration.infinity }
        })
      )
      yield* TestClock.adjust("2 hours")
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual((yield* engine.tasks).length, 3)
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(
        (yield* engine.tasks).map(({ id }) => id),
        [idOf(3), idOf(1)]
      )
    })
  )

  it.effect("goes in steps of 500, one right after the other, and then sleeps until the next can be", () =>
    Effect.gen(function* () {
      const { asked, wrap } = watched()
      const engine = yield* start(atOnce, keepingFor("1 hour", { tasks: finished(1701, () => 0), wrap }))
      yield* TestClock.adjust("1 hour")
      yield* TestClock.adjust(seconds(2))
      const first = asked.filter(({ count }) => count > 0)
      assert.deepStrictEqual(
        first.map(({ count }) => count),
        [500, 500, 500, 201]
      )
      assert.strictEqual(new Set(first.map(({ at }) => at)).size, 1)
      assert.isTrue(asked.every(({ limit }) => limit === 500))
      assert.deepStrictEqual(yield* engine.tasks, [])
      // with nothing to do it does not look, though years go by
      const before = asked.length
      yield* TestClock.setTime(Date.UTC(2999, 0, 1))
      assert.strictEqual(asked.length, before)
      // until the next task has finished
      yield* engine.orchestrator.submit({ content: "one more" })
      yield* eventually(engine.repository.counts, ({ COMPLETED }) => COMPLETED === 1)
      yield* TestClock.adjust("1 hour")
      yield* TestClock.adjust(seconds(2))
      assert.deepStrictEqual(yield* engine.tasks, [])
      assert.isAtMost(asked.length - before, 65)
    })
  )

  it.effect("keeps so many finished tasks, the ones that finished last", () =>
    Effect.gen(function* () {
      const { asked, wrap } = watched()
      const engine = yield* start(atOnce, {
        tasks: [...finished(100, (n) => 100 - n), ...numbers(200, 210).map((n) => submitted(n, { runAt: 1e12 }))],
        settings: { retentionCount: 30 },
        wrap
      })
      assert.deepStrictEqual(
        (yield* engine.tasks).map(({ id }) => id),
        [...numbers(200, 210).toReversed(), ...numbers(0, 30).toReversed()].map(idOf)
      )
      // one more finishes: the oldest goes
      yield* TestClock.adjust(seconds(1))
      yield* engine.orchestrator.cancel(idOf(200))
      yield* TestClock.adjust(seconds(1))
      const { FAILED } = yield* engine.repository.counts
      assert.strictEqual(FAILED, 30)
      assert.strictEqual((yield* engine.get(idOf(200))).status, "FAILED")
      assert.strictEqual(yield* engine.pruned, 71)
      // while more finish it looks once a second
      const before = asked.length
      for (const n of numbers(201, 210)) {
        yield* engine.orchestrator.cancel(idOf(n))
        yield* TestClock.adjust("100 millis")
      }
      yield* TestClock.adjust("1 minute")
      assert.isAtMost(asked.length - before, 3)
      assert.strictEqual((yield* engine.repository.counts).FAILED, 30)
    })
  )

  it.effect("a task retried by hand is kept as long as it is not finished", () =>
    Effect.gen(function* () {
      const engine = yield* start(() => Effect.never, keepingFor("1 hour", { tasks: finished(2, () => 0) }))
      yield* TestClock.adjust("30 minutes")
      yield* engine.orchestrator.retry(idOf(1))
      yield* TestClock.adjust("31 minutes")
      assert.deepStrictEqual(
        (yield* engine.tasks).map(({ id }) => id),
        [idOf(1)]
      )
    })
  )

  it.effect("tries again later when storage refuses", () =>
    Effect.gen(function* () {
      let out = true
      const { asked, wrap } = watched(() => out)
      const engine = yield* start(atOnce, keepingFor("1 hour", { tasks: finished(3, () => -1e9), wrap }))
      yield* TestClock.adjust(seconds(10))
      assert.strictEqual((yield* engine.tasks).length, 3)
      assert.isAtMost(asked.length, 11)
      out = false
      yield* TestClock.adjust(seconds(1))
      assert.deepStrictEqual(yield* engine.tasks, [])
    })
  )

  it.effect("goes on after a defect, and says so", () =>
    Effect.gen(function* () {
      let dies = true
      const wrap = (repository: StateRepository["Service"]): StateRepository["Service"] => ({
        ...repository,
        prune: (options) => (dies ? Effect.die("boom") : repository.prune(options))
      })
      const engine = yield* start(atOnce, keepingFor("1 hour", { tasks: finished(3, () => -1e9), wrap }))
      assert.isTrue(engine.logged.some((line) => line.startsWith("Error Deleting old tasks met a defect")))
      dies = false
      yield* TestClock.adjust(seconds(1))
      assert.deepStrictEqual(yield* engine.tasks, [])
    })
  )

  it.effect("without an end of either kind it looks once, and no more", () =>
    Effect.gen(function* () {
      const { asked, wrap } = watched()
      const engine = yield* start(atOnce, keepingFor(Duration.infinity, { tasks: finished(10, () => 0), wrap }))
      yield* TestClock.setTime(Date.UTC(2999, 0, 1))
      yield* quiet
      assert.strictEqual(asked.length, 1)
      assert.strictEqual((yield* engine.tasks).length, 10)
    })
  )
})
