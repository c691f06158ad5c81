import { assert, describe, inject, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { node, races, range, times, turns, until } from "../../engine/races.ts"
import { lasting } from "./databases.ts"

const url = `postgres://postgres@127.0.0.1:${inject("postgresPort") ?? 5432}/postgres`

let count = 0

races(
  "two nodes on postgres",
  (run, concurrency) => {
    const repository = lasting(url, `races_${++count}`)
    const one = node(repository, run, concurrency)
    // the first makes the tables
    return Effect.flatMap(one, (first) => Effect.map(one, (second) => [first, second]))
  },
  600_000
)

describe(`schedules on postgres, ${times} times`, () => {
  it.effect(
    "a slot has one run, though the node that makes it ends meanwhile",
    () =>
      Effect.gen(function* () {
        const begin = Effect.gen(function* () {
          const scope = yield* Scope.make()
          const { repository, schedules } = yield* Scope.provide(
            node(lasting(url, "schedules"), () => Effect.never, 0),
            scope
          )
          const made = Effect.map(repository.page({}, { limit: 10_000 }), ({ tasks }) =>
            tasks.map(({ runAt }) => runAt)
          )
          return { schedules, made, end: Scope.close(scope, Exit.void) }
        })
        let life = yield* begin
        yield* life.schedules.put("tick", { every: "1 second", missed: "once", task: { content: "tick" } })
        const madeAtEnd = new Set<number>()
        for (const n of range(times)) {
          const time = yield* Effect.forkChild(TestClock.adjust("1 second"))
          yield* turns(n % 17)
          for (let looks = n % 5; looks > 0; looks--) yield* life.made
          madeAtEnd.add((yield* life.made).length - n)
          yield* life.end
          yield* Fiber.join(time)
          life = yield* begin
          const slots = yield* until(life.made, (made) => made.length > n)
          assert.strictEqual(new Set(slots).size, n + 1)
        }
        assert.deepStrictEqual(
          (yield* life.made).toReversed(),
          range(times).map((n) => (n + 1) * 1000)
        )
        yield* life.end
        // or it was no race
        assert.strictEqual(madeAtEnd.size, 2)
      }),
    600_000
  )
})
