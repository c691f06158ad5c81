import { assert, describe } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import { idOf, submitted } from "../../support/tasks.ts"
import { claimAll, completed, type Repository, type Tests } from "./harness.ts"

const range = (count: number, from = 0) => Array.from({ length: count }, (_, n) => n + from)

const overdue = (repository: Repository, now: number, limit = 9) =>
  Effect.map(repository.overdue({ now, limit }), ({ next, tasks }) => ({ ids: tasks.map(({ id }) => id), next }))

export const deadlines = (test: Tests): void => {
  describe("a deadline", () => {
    test("is told of while the task is PENDING, the earliest first, and so is the next one", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([
          ...range(4, 1).map((n) => submitted(n, { deadline: 500 - 100 * n, runAt: 1000 * n })),
          submitted(5)
        ])
        assert.deepStrictEqual(yield* overdue(repository, 99), { ids: [], next: Option.some(100) })
        assert.deepStrictEqual(yield* overdue(repository, 200), { ids: [idOf(4), idOf(3)], next: Option.some(300) })
        assert.deepStrictEqual(yield* overdue(repository, 999, 3), {
          ids: [idOf(4), idOf(3), idOf(2)],
          next: Option.some(400)
        })
        yield* repository.update(idOf(4), Lifecycle.expire(200))
        yield* repository.update(idOf(2), Lifecycle.cancel(200))
        assert.deepStrictEqual(yield* overdue(repository, 999), { ids: [idOf(3), idOf(1)], next: Option.none() })
      }))

    test("that has passed keeps a task from being claimed, as long as it has", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1, { deadline: 100, priority: -1 }), submitted(2)])
        const claimed = yield* repository.claim({ limit: 1, now: 100 })
        assert.deepStrictEqual(
          claimed.map(({ id }) => id),
          [idOf(2)]
        )
        assert.deepStrictEqual(yield* claimAll(repository, 150), [])
        // the clock was set back
        assert.deepStrictEqual(
          (yield* claimAll(repository, 99)).map(({ id }) => id),
          [idOf(1)]
        )
      }))

    test("is of no account while the task runs, and is again when it waits anew", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1, { deadline: 100 }), submitted(2, { deadline: 100 })])
        const [first, second] = yield* claimAll(repository)
        assert(first !== undefined && second !== undefined)
        assert.deepStrictEqual(yield* overdue(repository, 200), { ids: [], next: Option.none() })
        yield* repository.settle([
          completed(first, 300),
          { claimed: second, transition: Lifecycle.retry("error", "no", 400, 300) }
        ])
        assert.deepStrictEqual(yield* overdue(repository, 300), { ids: [idOf(2)], next: Option.none() })
      }))

    test("of one among many is found among tasks that come and go", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(0, { deadline: 1e6, runAt: 1e9 })])
        for (const n of range(40)) {
          yield* repository.insert(range(100, 1 + 100 * n).map((m) => submitted(m, { deadline: 2e6 + m })))
          yield* repository.settle((yield* claimAll(repository)).map((task) => completed(task)))
        }
        const { ids } = yield* overdue(repository, 1e6)
        assert.deepStrictEqual(ids, [idOf(0)])
      }))
  })
}
