import { assert, describe } from "@effect/vitest"
import { Effect, Option, Result, Stream } from "effect"
import * as Callback from "../../../src/domain/Callback.ts"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import type { TaskId } from "../../../src/domain/Task.ts"
import { idOf, submitted } from "../../support/tasks.ts"
import { claimAll, completed, read, type Repository, type Tests, together } from "./harness.ts"

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

const keptFor = (millis: number) => ({ COMPLETED: millis, FAILED: millis })
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
        const pruned = yield* repository.prune({ now: 98, retention: keptFor(0), keep: Infinity, limit: 100 })
        assert.deepStrictEqual(pruned, { count: 3, next: Option.some(99) })
        assert.deepStrictEqual(yield* everyone(repository), ids(11, 10, 1, 0))
        assert.deepStrictEqual(yield* repository.counts, { PENDING: 1, PROCESSING: 1, COMPLETED: 2, FAILED: 0 })
        for (const n of [2, 3, 4]) {
          assert.deepStrictEqual(yield* repository.get(idOf(n)), Option.none())
          const error = yield* Effect.flip(repository.reopen(idOf(n), Lifecycle.retryByHand(0)))
          assert.strictEqual(error._tag, "TaskNotFound")
        }
        assert.deepStrictEqual(
          yield* repository.prune({ now: 98, retention: keptFor(0), keep: Infinity, limit: 100 }),
          {
            count: 0,
            next: Option.some(99)
          }
        )
      }))

    test("deletes all but `keep` of the finished ones, those first that finished first", (repository) =>
      Effect.gen(function* () {
        yield* finish(repository, 10, (n) => (n * 7) % 10)
        yield* repository.insert(range(20, 100).map((n) => submitted(n)))
        const { count } = yield* repository.prune({ now: 0, retention: keptFor(Infinity), keep: 4, limit: 100 })
        assert.strictEqual(count, 6)
        // times 6, 7, 8, 9
        assert.deepStrictEqual((yield* everyone(repository)).slice(20).toSorted(), ids(1, 4, 7, 8))
        assert.deepStrictEqual(yield* repository.prune({ now: 0, retention: keptFor(Infinity), keep: 4, limit: 100 }), {
          count: 0,
          next: Option.none()
        })
      }))

    test("deletes at most `limit` at once, in their order", (repository) =>
      Effect.gen(function* () {
        yield* finish(repository, 10, (n) => n)
        for (const left of [6, 2, 0]) {
          yield* repository.prune({ now: 100, retention: keptFor(0), keep: 0, limit: 4 })
          assert.deepStrictEqual(
            yield* everyone(repository),
            range(left, 10 - left)
              .toReversed()
              .map(idOf)
          )
        }
        assert.deepStrictEqual(yield* repository.prune({ now: 100, retention: keptFor(0), keep: 0, limit: 4 }), {
          count: 0,
          next: Option.none()
        })
      }))

    test("a task retried by hand is not finished; when it is again, its new end counts", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1), submitted(2)])
        for (const n of [1, 2]) yield* repository.update(idOf(n), Lifecycle.cancel(10 * n))
        yield* repository.reopen(idOf(1), Lifecycle.retryByHand(50))
        assert.strictEqual(
          (yield* repository.prune({ now: 15, retention: keptFor(0), keep: Infinity, limit: 9 })).count,
          0
        )
        yield* repository.update(idOf(1), Lifecycle.cancel(60))
        assert.deepStrictEqual(yield* repository.prune({ now: 30, retention: keptFor(0), keep: Infinity, limit: 9 }), {
          count: 1,
          next: Option.some(60)
        })
        assert.deepStrictEqual(yield* everyone(repository), ids(1))
      }))

    test("and a retry by hand at once: exactly one of them wins", (repository) =>
      Effect.gen(function* () {
        for (const n of range(40)) {
          const id = idOf(n)
          yield* repository.insert([submitted(n)])
          yield* repository.update(id, Lifecycle.cancel(0))
          const retry = Effect.result(repository.reopen(id, Lifecycle.retryByHand(1)))
          const prune = repository.prune({ now: 0, retention: keptFor(0), keep: Infinity, limit: 9 })
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
        const prunes = range(10).map(() =>
          repository.prune({ now: 0, retention: keptFor(Infinity), keep: 70, limit: 8 })
        )
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
        yield* repository.prune({ now: 5, retention: keptFor(0), keep: Infinity, limit: 9 })
        const rest = yield* repository.page({}, { limit: 3, before })
        assert.deepStrictEqual(
          rest.tasks.map(({ id }) => id),
          ids(4, 3, 2)
        )
      }))

    test("what is FAILED may be kept for another time than what is COMPLETED", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert(range(4).map((n) => submitted(n)))
        const [first, second] = yield* repository.claim({ limit: 2, now: 0 })
        assert(first !== undefined && second !== undefined)
        yield* repository.settle([completed(first, 100), completed(second, 300)])
        for (const n of [2, 3]) yield* repository.update(idOf(n), Lifecycle.cancel(100 * n))
        const retention = { COMPLETED: 1000, FAILED: 50 }
        const prune = (now: number) => repository.prune({ now, retention, keep: Infinity, limit: 9 })
        assert.deepStrictEqual(yield* prune(249), { count: 0, next: Option.some(250) })
        assert.deepStrictEqual(yield* prune(250), { count: 1, next: Option.some(350) })
        assert.deepStrictEqual(yield* prune(1099), { count: 1, next: Option.some(1100) })
        assert.deepStrictEqual(yield* prune(1100), { count: 1, next: Option.some(1300) })
        assert.deepStrictEqual(yield* everyone(repository), ids(1))
      }))

    test("a task with a retention of its own goes when that is over, whatever becomes of the others", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([
          submitted(1, { retention: "10 millis" }),
          submitted(2),
          submitted(3, { retention: 1000 }),
          submitted(4, { retention: 0 })
        ])
        for (const n of [1, 2, 3, 4]) yield* repository.update(idOf(n), Lifecycle.cancel(100))
        const prune = (now: number, usual: number) =>
          repository.prune({ now, retention: keptFor(usual), keep: Infinity, limit: 9 })
        assert.deepStrictEqual(yield* prune(109, 5000), { count: 1, next: Option.some(110) })
        assert.deepStrictEqual(yield* prune(110, 5000), { count: 1, next: Option.some(1100) })
        assert.deepStrictEqual(yield* prune(500, 1), { count: 1, next: Option.some(1100) })
        assert.deepStrictEqual(yield* everyone(repository), ids(3))
        assert.deepStrictEqual(yield* prune(1100, Infinity), { count: 1, next: Option.none() })
        assert.deepStrictEqual(yield* everyone(repository), [])
      }))

    test("but where too many have finished it goes as the others do, and once", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert(range(8).map((n) => submitted(n, n % 2 === 0 ? { retention: `${n + 1} millis` } : {})))
        for (const n of range(8)) yield* repository.update(idOf(n), Lifecycle.cancel(n))
        const prune = (now: number, keep: number) =>
          repository.prune({ now, retention: keptFor(Infinity), keep, limit: 9 })
        // one because of its age, and so two are too many
        assert.deepStrictEqual(yield* prune(1, 5), { count: 3, next: Option.some(9) })
        assert.deepStrictEqual(yield* everyone(repository), ids(7, 6, 5, 4, 3))
        const counts = (yield* together([prune(9, 2), prune(9, 2), prune(9, 2)])).map(({ count }) => count)
        assert.deepStrictEqual(counts.toSorted(), [0, 0, 3])
        assert.deepStrictEqual(yield* everyone(repository), ids(7, 6))
      }))

    test("one with a retention of its own is not finished while it is retried by hand", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1, { retention: 10 })])
        yield* repository.update(idOf(1), Lifecycle.cancel(0))
        yield* repository.reopen(idOf(1), Lifecycle.retryByHand(5))
        const prune = (now: number) => repository.prune({ now, retention: keptFor(0), keep: 0, limit: 9 })
        assert.deepStrictEqual(yield* prune(100), { count: 0, next: Option.none() })
        yield* repository.update(idOf(1), Lifecycle.cancel(200))
        assert.deepStrictEqual(yield* repository.prune({ now: 209, retention: keptFor(0), keep: 9, limit: 9 }), {
          count: 0,
          next: Option.some(210)
        })
        assert.deepStrictEqual(yield* prune(209), { count: 1, next: Option.none() })
      }))

    test("one whose callback is owed stays where that is asked for, until it is told", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([{ ...submitted(1), callback: Callback.waiting }, submitted(2)])
        for (const n of [1, 2]) yield* repository.update(idOf(n), Lifecycle.cancel(0))
        const owed = yield* read(repository, idOf(1))
        assert.deepStrictEqual(owed.callback, Callback.owed(0))
        const options = { now: 100, retention: keptFor(0), keep: 0, limit: 9 }
        const prune = repository.prune({ ...options, keepOwed: true })
        assert.strictEqual((yield* prune).count, 1)
        assert.deepStrictEqual(yield* everyone(repository), ids(1))
        assert.strictEqual((yield* prune).count, 0)
        const failed = { _tag: "Failed", message: "no", retryable: true, retryAfter: 0 } as const
        yield* repository.update(idOf(1), Callback.settle(owed, failed, { chance: 0, now: 10 }))
        assert.strictEqual((yield* prune).count, 0)
        yield* repository.update(idOf(1), Callback.settle(owed, { _tag: "Delivered" }, { chance: 0, now: 20 }))
        assert.deepStrictEqual(yield* prune, { count: 1, next: Option.none() })

        yield* repository.insert([{ ...submitted(3), callback: Callback.waiting }])
        yield* repository.update(idOf(3), Lifecycle.cancel(0))
        assert.strictEqual((yield* repository.prune(options)).count, 1)
      }))

    test("those whose callbacks are owed take no place from the others", (repository) =>
      Effect.gen(function* () {
        const owing = [1, 2, 3].map((n) => ({ ...submitted(n), callback: Callback.waiting }))
        yield* repository.insert([...owing, submitted(4), submitted(5), submitted(6)])
        for (const n of [1, 2, 3]) yield* repository.update(idOf(n), Lifecycle.cancel(n))
        const prune = repository.prune({
          now: 100,
          retention: keptFor(Number.POSITIVE_INFINITY),
          keep: 2,
          limit: 9,
          keepOwed: true
        })
        for (const n of [4, 5, 6]) {
          yield* repository.update(idOf(n), Lifecycle.cancel(n))
          yield* prune
        }
        assert.deepStrictEqual(yield* everyone(repository), ids(6, 5, 3, 2, 1))
      }))
  })
}
