import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { TypeLimits } from "../../src/ports/TypeLimits.ts"
import { quiet, start } from "./engine.ts"

describe("what a process can run at once of a type", () => {
  const begin = (running: Map<string, number>, most: Map<string, number>) =>
    start(({ type }) =>
      Effect.gen(function* () {
        const now = (running.get(type) ?? 0) + 1
        running.set(type, now)
        most.set(type, Math.max(most.get(type) ?? 0, now))
        yield* Effect.sleep("1 second")
        running.set(type, (running.get(type) ?? 0) - 1)
        return ""
      })
    ).pipe(Effect.provideService(TypeLimits, { one: 1, three: 3 }))

  it.effect("is claimed and no more, and why says so; other types are free", () =>
    Effect.gen(function* () {
      const most = new Map<string, number>()
      const { orchestrator, reaches, repository } = yield* begin(new Map(), most)
      const all = yield* Effect.forEach(["one", "three", "other"], (type) =>
        orchestrator.submitAll(Array.from({ length: 5 }, () => ({ content: "x", type })))
      )
      yield* quiet
      const why = yield* orchestrator.why(all[0]?.[1]?.id ?? assert.fail())
      assert.deepInclude(why.reasons[0], { code: "type_limit", message: "limit of type one reached (1 of 1)" })
      // what is set from outside is not touched by it
      assert.deepStrictEqual((yield* repository.flow).types, {})
      yield* TestClock.adjust("6 seconds")
      for (const { id } of all.flat()) yield* reaches(id, "COMPLETED")
      assert.deepStrictEqual(Object.fromEntries(most), { one: 1, three: 3, other: 5 })
    })
  )

  it.effect("is held to what the flow says where that is less, and where it is more to itself", () =>
    Effect.gen(function* () {
      const most = new Map<string, number>()
      const { orchestrator, reaches, repository } = yield* begin(new Map(), most)
      yield* repository.updateFlow(() => ({
        paused: false,
        keys: {},
        types: { one: { concurrency: 9 }, three: { concurrency: 2 } }
      }))
      const all = yield* Effect.forEach(["one", "three"], (type) =>
        orchestrator.submitAll(Array.from({ length: 5 }, () => ({ content: "x", type })))
      )
      yield* TestClock.adjust("6 seconds")
      for (const { id } of all.flat()) yield* reaches(id, "COMPLETED")
      assert.deepStrictEqual(Object.fromEntries(most), { one: 1, three: 2 })
    })
  )
})

describe("a timeout of a type", () => {
  it.effect("stands in place of the usual one, and a task's own in place of both", () =>
    Effect.gen(function* () {
      const { orchestrator, reaches } = yield* start(() => Effect.never, {
        settings: {
          taskTimeout: Duration.minutes(15),
          typeTimeouts: new Map([["quick", Duration.seconds(2)]])
        }
      })
      const quick = yield* orchestrator.submit({ content: "x", type: "quick", maxAttempts: 1 })
      const own = yield* orchestrator.submit({ content: "x", type: "quick", maxAttempts: 1, timeout: "5 seconds" })
      const usual = yield* orchestrator.submit({ content: "x", maxAttempts: 1 })
      yield* quiet
      yield* TestClock.adjust("2 seconds")
      assert.deepInclude((yield* reaches(quick.id, "FAILED")).failure, {
        reason: "timeout",
        message: "still running after 2s"
      })
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* reaches(own.id, "FAILED")).failure?.message, "still running after 5s")
      yield* reaches(usual.id, "PROCESSING")
    })
  )
})
