import { assert, describe } from "@effect/vitest"
import { Effect, Option, Result, Stream } from "effect"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import type { TaskId } from "../../../src/domain/Task.ts"
import { idOf, submitted } from "../../support/tasks.ts"
import { claimAll, completed, type Repository, type Tests, together } from "./harness.ts"

const range = (count: number, from = 0) => Array.from({ length: count }, (_, n) => n + from)

/** Finishes task n at time `at(n)`. */
const finish = (repository: Repository, count: number, at: (n: number) => number) =>
  Effect.gen(function* () {
    yield* repository.insert(range(count).map((n) => submitted(n)))
    const claimed = yield* claimAll(repository)
    yield* repository.settle(claimed.map((task, n) => completed(task, at(n))))
  })

const everyone = (repository: Repository) =>
  Effect.map(repository.page({}, { limit: 10_000 }), ({ tasks }) => tasks.map(({ id }) => id))

const never = Number.NEGATIVE_INFINITY
const ids = (...ns: ReadonlyArray<number>): ReadonlyArray<TaskId> => ns.map(idOf)

export const prune = (test: Tests): void => {
  describe("finished", () => {
    test("hints that tasks have finished, by a verdict or a cancel, and at nothing else", (repository) =>
      Effect.gen(function* () {
        let hints = 0
        yield* Effect.forkScoped(Stream.runForEach(repository.finished, () => Effect.sync(() => hints++)))
        yield* repository.insert([submitted(1), submitted(2), submitted(3)])
        const claimed = yield* repository.claim({ limit: 2, now: 0 })
        yield* repository.update(idOf(1), Lifecycle.log(["1970-01-01T00:00:00.000Z a line"], 0))
        yield* Effect.yieldNow
        assert.strictEqual(hints, 0)
        yield* repository.settle(claimed.slice(0, 1).map((task) => completed(task)))
        yield* Effect.yieldNow
        assert.strictEqual(hints, 1)
        yield* repository.update(idOf(3), Lifecycle.cancel(0))
        yield* Effect.yieldNow
        assert.strictEqual(hints, 2)
      }))
  })

  describe("prune", () => {
    test("deletes what finished by a time, and nothing else; others are not found any more", (repository) =>
      Effect.gen(function* () {
        // the youngest finished first
        yield* finish(repository, 5, (n) => 100 - n)
        yield* repository.insert([submitted(10), submitted(11)])
        yield* repository.claim({ limit: 1, now: 0 })
        const pruned = yield* repository.prune({ finishedBy: 98, keep: Infinity, limit: 100 })
        assert.deepStrictEqual(pruned, { count: 3, firstFinished: Option.some(99) })
        assert.deepStrictEqual(yield* everyone(repository), ids(11, 10, 1, 0))
        assert.deepStrictEqual(yield* repository.counts, { PENDING: 1, PROCESSING: 1, COMPLETED: 2, FAILED: 0 })
        for (const n of [2, 3, 4]) {
          assert.deepStrictEqual(yield* repository.get(idOf(n)), Option.none())
          const error = yield* Effect.flip(repository.update(idOf(n), Lifecycle.retryByHand(0)))
          assert.strictEqual(error._tag, "TaskNotFound")
        }
        assert.deepStrictEqual(yield* repository.prune({ finishedBy: 98, keep: Infinity, limit: 100 }), {
          count: 0,
          firstFinished: Option.some(99)
        })
      }))

    test("deletes all but `keep` of the finished ones, those first that finished first", (repository) =>
      Effect.gen(function* () {
        yield* finish(repository, 10, (n) => (n * 7) % 10)
        yield* repository.insert(range(20, 100).map((n) => submitted(n)))
        const { count } = yield* repository.prune({ finishedBy: never, keep: 4, limit: 100 })
        assert.strictEqual(count, 6)
        // times 6, 7, 8, 9
        assert.deepStrictEqual((yield* everyone(repository)).slice(20).toSorted(), ids(1, 4, 7, 8))
        assert.deepStrictEqual(yield* repository.prune({ finishedBy: never, keep: 4, limit: 100 }), {
          count: 0,
          firstFinished: Option.some(6)
        })
      }))

    test("deletes at most `limit` at once, in their order", (repository) =>
      Effect.gen(function* () {
        yield* finish(repository, 10, (n) => n)
        for (const left of [6, 2, 0]) {
          yield* repository.prune({ finishedBy: 100, keep: 0, limit: 4 })
          assert.deepStrictEqual(
            yield* everyone(repository),
            range(left, 10 - left)
              .toReversed()
              .map(idOf)
          )
        }
        assert.deepStrictEqual(yield* repository.prune({ finishedBy: 100, keep: 0, limit: 4 }), {
          count: 0,
          firstFinished: Option.none()
        })
      }))

    test("a task retried by hand is not finished; when it is again, its new end counts", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1), submitted(2)])
        for (const n of [1, 2]) yield* repository.update(idOf(n), Lifecycle.cancel(10 * n))
        yield* repository.update(idOf(1), Lifecycle.retryByHand(50))
        assert.strictEqual((yield* repository.prune({ finishedBy: 15, keep: Infinity, limit: 9 })).count, 0)
        yield* repository.update(idOf(1), Lifecycle.cancel(60))
        assert.deepStrictEqual(yield* repository.prune({ finishedBy: 30, keep: Infinity, limit: 9 }), {
          count: 1,
          firstFinished: Option.some(60)
        })
        assert.deepStrictEqual(yield* everyone(repository), ids(1))
      }))

    test("and a retry by hand at once: exactly one of them wins", (repository) =>
      Effect.gen(function* () {
        for (const n of range(40)) {
          const id = idOf(n)
          yield* repository.insert([submitted(n)])
          yield* repository.update(id, Lifecycle.cancel(0))
          const retry = Effect.result(repository.update(id, Lifecycle.retryByHand(1)))
          const prune = repository.prune({ finishedBy: 0, keep: Infinity, limit: 9 })
          const [retried, pruned] =
            n % 2 === 0
              ? yield* Effect.all([retry, prune], { concurrency: 2 })
              : (yield* Effect.all([prune, retry], { concurrency: 2 })).toReversed()
          assert(retried !== undefined && Result.isResult(retried) && pruned !== undefined && "count" in pruned)
          const task = yield* repository.get(id)
          assert.strictEqual(pruned.count, Result.isSuccess(retried) ? 0 : 1)
          assert.strictEqual(Option.isSome(task), Result.isSuccess(retried))
          if (Option.isSome(task)) assert.strictEqual(task.value.status, "PENDING")
        }
      }))

    test("several at once delete no more than are too many", (repository) =>
      Effect.gen(function* () {
        yield* finish(repository, 100, (n) => n)
        const prunes = range(10).map(() => repository.prune({ finishedBy: never, keep: 70, limit: 8 }))
        const counts = (yield* together(prunes)).map(({ count }) => count)
        assert.strictEqual(
          counts.reduce((sum, count) => sum + count, 0),
          30
        )
        assert.deepStrictEqual((yield* everyone(repository)).toReversed(), range(70, 30).map(idOf))
      }))

    test("pages go on where they were, though their cursor is deleted", (repository) =>
      Effect.gen(function* () {
        yield* finish(repository, 10, (n) => 10 - n)
        const first = yield* repository.page({}, { limit: 3 })
        const before = first.tasks.at(-1)?.id ?? idOf(0)
        yield* repository.prune({ finishedBy: 5, keep: Infinity, limit: 9 })
        const rest = yield* repository.page({}, { limit: 3, before })
        assert.deepStrictEqual(
          rest.tasks.map(({ id }) => id),
          ids(4, 3, 2)
        )
      }))

    test("a task with a retention of its own goes when that is over, whatever the others do", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([
          submitted(1, { retention: "10 millis" }),
          submitted(2),
          submitted(3, { retention: 1000 })
        ])
        for (const n of [1, 2, 3]) yield* repository.update(idOf(n), Lifecycle.cancel(100))
        const ended = (now: number) => repository.pruneEnded({ now, limit: 9 })
        assert.deepStrictEqual(yield* ended(109), { count: 0, next: Option.some(110) })
        assert.deepStrictEqual(yield* ended(110), { count: 1, next: Option.some(1100) })
        assert.deepStrictEqual(yield* repository.prune({ finishedBy: 500, keep: Infinity, limit: 9 }), {
          count: 1,
          firstFinished: Option.none()
        })
        assert.deepStrictEqual(yield* everyone(repository), ids(3))
        assert.deepStrictEqual(yield* ended(1100), { count: 1, next: Option.none() })
        assert.deepStrictEqual(yield* everyone(repository), [])
      }))

    test("but of too many finished ones it goes as the others do", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert(range(6).map((n) => submitted(n, n % 2 === 0 ? { retention: "1 day" } : {})))
        for (const n of range(6)) yield* repository.update(idOf(n), Lifecycle.cancel(n))
        // those of their own are passed over, and found again
        assert.strictEqual((yield* repository.prune({ finishedBy: 2, keep: Infinity, limit: 9 })).count, 1)
        assert.strictEqual((yield* repository.prune({ finishedBy: never, keep: 3, limit: 9 })).count, 2)
        assert.deepStrictEqual(yield* everyone(repository), ids(5, 4, 3))
      }))
  })
}
