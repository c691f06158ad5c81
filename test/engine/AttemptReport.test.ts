import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Latch } from "effect"
import { TestClock } from "effect/testing"
import { limits } from "../../src/domain/Task.ts"
import { permanent, retryable } from "../../src/domain/TaskError.ts"
import type { StateRepository } from "../../src/ports/StateRepository.ts"
import { StorageError } from "../../src/ports/StorageError.ts"
import { idOf, submitted } from "../support/tasks.ts"
import { eventually, start } from "./engine.ts"

const id = idOf(1)
const tasks = [submitted(1)]
const text = (line: string) => line.slice(25)
const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `line ${from + n}`)

const countingWrites = () => {
  const asked = { writes: 0 }
  const wrap = (repository: StateRepository["Service"]): StateRepository["Service"] => ({
    ...repository,
    update: (...change) =>
      Effect.suspend(() => {
        asked.writes++
        return repository.update(...change)
      })
  })
  return { asked, wrap }
}

describe("what a runner logs", () => {
  it.effect("is in the task while it runs, at most ten times a second, and in order", () =>
    Effect.gen(function* () {
      const more = yield* Latch.make()
      const end = yield* Latch.make()
      const { asked, wrap } = countingWrites()
      const engine = yield* start(
        (_, { log }) =>
          Effect.gen(function* () {
            yield* log("line 0")
            yield* more.await
            for (const line of numbered(1, 50)) yield* log(line)
            yield* end.await
            yield* log("line 50")
            return "done"
          }),
        { tasks, wrap }
      )
      const lines = Effect.map(engine.get(id), ({ logs }) => logs.map(text).filter((line) => line.startsWith("line")))
      yield* eventually(lines, ({ length }) => length === 1)
      yield* more.open
      yield* TestClock.adjust(99)
      assert.strictEqual((yield* lines).length, 1)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* lines, numbered(0, 50))
      assert.strictEqual(asked.writes, 2)
      yield* end.open
      const done = yield* engine.reaches(id, "COMPLETED")
      assert.deepStrictEqual(done.logs.map(text), [
        "submitted",
        "attempt 1 of 5 started",
        ...numbered(0, 51),
        "attempt 1 completed"
      ])
      assert.strictEqual(asked.writes, 2, "the rest came with the verdict")
    })
  )

  it.effect("is written again and again while it talks, and at once after a silence, which costs nothing", () =>
    Effect.gen(function* () {
      const { asked, wrap } = countingWrites()
      const engine = yield* start(
        (_, { log }) =>
          Effect.repeat(Effect.andThen(log("tick"), Effect.sleep(10)), { times: 99 }).pipe(
            Effect.andThen(Effect.sleep(59_000)),
            Effect.andThen(log("after a silence")),
            Effect.andThen(Effect.never)
          ),
        { tasks, wrap }
      )
      yield* TestClock.adjust(1000)
      assert.isAtLeast(asked.writes, 9)
      assert.isAtMost(asked.writes, 11)
      yield* TestClock.adjust(58_000)
      assert.isAtMost(asked.writes, 11)
      yield* TestClock.adjust(1000)
      assert.match((yield* engine.get(id)).logs.at(-1) ?? "", /after a silence$/)
    })
  )

  it.effect("stands before the verdict of a failure too, and nothing is logged after it", () =>
    Effect.gen(function* () {
      const leaked = yield* Deferred.make<Effect.Effect<void>>()
      const { asked, wrap } = countingWrites()
      const engine = yield* start(
        (_, { log }) =>
          log("last words").pipe(
            Effect.andThen(Deferred.succeed(leaked, log("too late"))),
            Effect.andThen(Effect.fail(permanent("no")))
          ),
        { tasks, wrap }
      )
      const failed = yield* engine.reaches(id, "FAILED")
      assert.deepStrictEqual(failed.logs.map(text).slice(2), ["last words", "attempt 1 failed for good (error): no"])
      const before = asked.writes
      yield* Effect.flatten(Deferred.await(leaked))
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(yield* engine.get(id), failed)
      assert.strictEqual(asked.writes, before)
    })
  )

  it.effect("after its attempt has ended costs nothing, also when the attempt itself was silent", () =>
    Effect.gen(function* () {
      const leaked = yield* Deferred.make<Effect.Effect<void>>()
      const { asked, wrap } = countingWrites()
      const engine = yield* start((_, { log }) => Effect.as(Deferred.succeed(leaked, log("too late")), ""), {
        tasks,
        wrap
      })
      const done = yield* engine.reaches(id, "COMPLETED")
      yield* Effect.flatten(Deferred.await(leaked))
      yield* TestClock.adjust(1000)
      assert.strictEqual(asked.writes, 0)
      assert.deepStrictEqual(yield* engine.get(id), done)
    })
  )

  it.effect("beyond the log's room keeps the newest lines and counts the others", () =>
    Effect.gen(function* () {
      const engine = yield* start(
        (_, { log }) => Effect.as(Effect.forEach(numbered(0, 1000), log, { discard: true }), "done"),
        { tasks }
      )
      const done = yield* engine.reaches(id, "COMPLETED")
      const [told, ...kept] = done.logs.map(text)
      const all = ["submitted", "attempt 1 of 5 started", ...numbered(0, 1000), "attempt 1 completed"]
      assert.deepStrictEqual(kept, all.slice(-kept.length))
      assert.strictEqual(done.logsDropped, all.length - kept.length)
      assert.strictEqual(told, `${done.logsDropped} earlier lines were dropped`)
      assert.isAtMost(done.logs.length, limits.logLines)
    })
  )

  it.effect("waits for storage that refuses it, and is neither lost nor doubled", () =>
    Effect.gen(function* () {
      let refusals = 3
      const end = yield* Latch.make()
      const engine = yield* start(
        (_, { log }) =>
          Effect.gen(function* () {
            for (const line of numbered(0, 10)) {
              yield* log(line)
              yield* Effect.sleep(40)
            }
            yield* end.await
            return ""
          }),
        {
          tasks,
          wrap: (repository) => ({
            ...repository,
            update: (...change) =>
              Effect.suspend(() =>
                refusals-- > 0 ? Effect.fail(new StorageError({ reason: "full" })) : repository.update(...change)
              )
          })
        }
      )
      yield* TestClock.adjust(200)
      assert.strictEqual((yield* engine.get(id)).logs.length, 2)
      yield* TestClock.adjust(800)
      assert.deepStrictEqual((yield* engine.get(id)).logs.map(text).slice(2), numbered(0, 10))
      yield* end.open
      assert.deepStrictEqual((yield* engine.reaches(id, "COMPLETED")).logs.map(text).slice(2, -1), numbered(0, 10))
    })
  )

  it.effect("of one attempt is followed by that of the next", () =>
    Effect.gen(function* () {
      const engine = yield* start(
        ({ attempt }, { log }) =>
          Effect.andThen(log(`in ${attempt}`), attempt < 3 ? Effect.fail(retryable("no")) : Effect.succeed("")),
        { tasks }
      )
      yield* TestClock.adjust(3000)
      const { logs } = yield* engine.reaches(id, "COMPLETED")
      assert.deepStrictEqual(
        logs.map(text).filter((line) => /^(in|attempt)/.test(line)),
        [
          "attempt 1 of 5 started",
          "in 1",
          "attempt 1 failed (error): no; next one in 1 s",
          "attempt 2 of 5 started",
          "in 2",
          "attempt 2 failed (error): no; next one in 2 s",
          "attempt 3 of 5 started",
          "in 3",
          "attempt 3 completed"
        ]
      )
    })
  )
})
