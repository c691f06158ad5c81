import { assert, describe } from "@effect/vitest"
import { Effect, Fiber, Option, Result, Stream } from "effect"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import type { TaskStatus, VenomTask } from "../../../src/domain/Task.ts"
import type { Put } from "../../../src/ports/Entry.ts"
import type { Change } from "../../../src/ports/StateRepository.ts"
import { idOf, submitted } from "../../support/tasks.ts"
import { claimAll, completed, type Repository, type Tests, together } from "./harness.ts"

const range = (count: number, from = 0) => Array.from({ length: count }, (_, n) => n + from)

const putOf = (name: string, value: Put["value"], put: Partial<Put> = {}): Put => ({
  name,
  value,
  expects: 0,
  expiresAt: null,
  now: 0,
  ...put
})

/** The changes that come while something is done: those that come between two that are known. */
const changesDuring = <A, E>(repository: Repository, act: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const told: Array<Change> = []
    const listener = yield* Effect.forkChild(
      Stream.runForEach(repository.changes, (changes) => Effect.sync(() => told.push(...changes))),
      { startImmediately: true }
    )
    const isTold = (n: number) => told.some(({ after }) => after?.id === idOf(n))
    const mark = Effect.fnUntraced(function* (n: number) {
      yield* repository.insert([submitted(n, { runAt: 1e12 })])
      while (!isTold(n)) yield* Effect.sleep("1 millis")
    })
    yield* mark(begin)
    const from = told.length
    yield* act
    yield* mark(end)
    yield* Fiber.interrupt(listener)
    return told.slice(from, -1)
  })

const begin = 1_000_000
const end = 1_000_001

export const entries = (test: Tests): void => {
  describe("entries", () => {
    test(
      "that expire are no more than unfinished tasks may be, where memory holds them",
      (repository) =>
        Effect.gen(function* () {
          const { kind } = yield* repository.storage
          const put = (n: number) => ({ name: `idempotency/${n}`, value: n, expects: 0, expiresAt: 1000, now: 0 })
          for (const n of [1, 2]) {
            yield* repository.insert([submitted(n)], put(n))
            yield* repository.update(idOf(n), Lifecycle.cancel(0))
          }
          const third = yield* Effect.result(repository.insert([submitted(3)], put(3)))
          // a database has them on its disk
          assert.strictEqual(Result.isFailure(third), kind !== "postgres")
          if (Result.isFailure(third))
            assert.strictEqual(third.failure.message, "The queue holds its limit of 2 idempotency keys")
          yield* repository.insert([submitted(4)])
          yield* repository.put({ name: "schedule/a", value: 1, expects: 0, expiresAt: null, now: 0 })
        }),
      { maxPending: 2 }
    )

    test("are made, changed and taken away, each change on the revision it knows", (repository) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* repository.entry("a"), Option.none())
        yield* repository.put(putOf("a", { one: [1, null, "\u2028"] }))
        const first = { name: "a", value: { one: [1, null, "\u2028"] }, revision: 1, expiresAt: null }
        assert.deepStrictEqual(yield* repository.entry("a"), Option.some(first))
        const refused = yield* Effect.flip(repository.put(putOf("a", 2)))
        assert(refused._tag === "EntryChanged")
        assert.deepStrictEqual(refused.entry, Option.some(first))
        yield* repository.put(putOf("a", 2, { expects: 1 }))
        assert.deepStrictEqual(yield* repository.entry("a"), Option.some({ ...first, value: 2, revision: 2 }))
        yield* repository.put(putOf("a", undefined, { expects: 2 }))
        assert.deepStrictEqual(yield* repository.entry("a"), Option.none())
        yield* repository.put(putOf("a", 3))
      }))

    test("are listed by the beginning of their names", (repository) =>
      Effect.gen(function* () {
        for (const name of ["b/2", "a/1", "b/1", "b"]) yield* repository.put(putOf(name, name))
        const names = (prefix: string) =>
          Effect.map(repository.entries(prefix), (found) => found.map(({ name }) => name))
        assert.deepStrictEqual(yield* names("b/"), ["b/1", "b/2"])
        assert.deepStrictEqual(yield* names(""), ["a/1", "b", "b/1", "b/2"])
      }))

    test("count as gone once they expire, and are taken away in steps", (repository) =>
      Effect.gen(function* () {
        for (const n of range(5)) yield* repository.put(putOf(`n${n}`, n, { expiresAt: 10 * (n + 1) }))
        assert.deepStrictEqual(yield* repository.expireEntries({ now: 30, limit: 2 }), {
          count: 2,
          next: Option.some(30)
        })
        assert.deepStrictEqual(yield* repository.entry("n0"), Option.none())
        // n2 has expired and is still there: a new one takes its place
        yield* repository.put(putOf("n2", "new", { now: 30 }))
        assert.deepStrictEqual(yield* repository.expireEntries({ now: 30, limit: 2 }), {
          count: 0,
          next: Option.some(40)
        })
        assert.deepStrictEqual(
          (yield* repository.entries("")).map(({ name }) => name),
          ["n2", "n3", "n4"]
        )
      }))

    test("of many changes at once on one revision exactly one happens", (repository) =>
      Effect.gen(function* () {
        const puts = range(50).map((n) => Effect.result(repository.put(putOf("a", n))))
        const done = (yield* together(puts)).filter(Result.isSuccess)
        assert.strictEqual(done.length, 1)
        assert.strictEqual((yield* Effect.fromOption(yield* repository.entry("a"))).revision, 1)
      }))

    test("change together with new tasks, or neither does", (repository) =>
      Effect.gen(function* () {
        const inserts = range(20).map((n) => Effect.result(repository.insert([submitted(n)], putOf("key", n))))
        const results = yield* together(inserts)
        assert.strictEqual(results.filter(Result.isSuccess).length, 1)
        assert.strictEqual((yield* repository.counts).PENDING, 1)
        const { value } = yield* Effect.fromOption(yield* repository.entry("key"))
        assert.isTrue(Option.isSome(yield* repository.get(idOf(Number(value)))))
        for (const result of results) {
          if (Result.isSuccess(result)) continue
          assert(result.failure._tag === "EntryChanged")
          assert.strictEqual(Option.getOrThrow(result.failure.entry).value, value)
        }
      }))

    test("may tell of the tasks that were made, or were there", (repository) =>
      Effect.gen(function* () {
        const told = (made: ReadonlyArray<VenomTask>) =>
          putOf(
            `key ${made.length}`,
            made.map(({ id }) => id)
          )
        yield* repository.insert([submitted(1, { uniqueKey: "one" }), submitted(2)], told)
        yield* repository.insert(
          [submitted(3), submitted(4, { uniqueKey: "one" }), submitted(5, { uniqueKey: "two" })],
          told
        )
        const values = (yield* repository.entries("key")).map(({ value }) => value)
        assert.deepStrictEqual(values, [
          [idOf(1), idOf(2)],
          [idOf(3), idOf(1), idOf(5)]
        ])
        assert.strictEqual((yield* repository.counts).PENDING, 4)
      }))

    test(
      "a refused insert leaves no entry",
      (repository) =>
        Effect.gen(function* () {
          yield* Effect.flip(repository.insert([submitted(1), submitted(2)], putOf("key", 1)))
          assert.deepStrictEqual(yield* repository.entry("key"), Option.none())
        }),
      { maxPending: 1 }
    )
  })

  describe("a unique key", () => {
    const unique = (n: number) => submitted(n, { uniqueKey: "one" })

    test("has one unfinished task: others are answered with it, also in one insert", (repository) =>
      Effect.gen(function* () {
        const [first, second] = yield* repository.insert([unique(1), unique(2)])
        assert.deepStrictEqual([first?.id, second?.id], [idOf(1), idOf(1)])
        const [third] = yield* repository.insert([unique(3)])
        assert.strictEqual(third?.id, idOf(1))
        assert.strictEqual((yield* repository.counts).PENDING, 1)
        const claimed = yield* claimAll(repository)
        assert.strictEqual((yield* repository.insert([unique(4)]))[0]?.status, "PROCESSING")
        yield* repository.settle(claimed.map((task) => completed(task)))
        assert.strictEqual((yield* repository.insert([unique(5)]))[0]?.id, idOf(5))
      }))

    test(
      "is answered by a queue that is full",
      (repository) =>
        Effect.gen(function* () {
          yield* repository.insert([unique(1)])
          assert.strictEqual((yield* repository.insert([unique(2)]))[0]?.id, idOf(1))
          assert.strictEqual((yield* Effect.flip(repository.insert([submitted(3)])))._tag, "QueueFull")
        }),
      { maxPending: 1 }
    )

    test("under many inserts at once: one task", (repository) =>
      Effect.gen(function* () {
        const made = yield* together(range(100).map((n) => repository.insert([unique(n)])))
        assert.strictEqual(new Set(made.flat().map(({ id }) => id)).size, 1)
        assert.strictEqual((yield* repository.counts).PENDING, 1)
      }))

    test("stands in the way of a retry by hand while another task has it", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([unique(1)])
        yield* repository.update(idOf(1), Lifecycle.cancel(0))
        yield* repository.insert([unique(2)])
        const refused = yield* Effect.flip(repository.reopen(idOf(1), Lifecycle.retryByHand(1)))
        assert.strictEqual(refused._tag, "IllegalTransition")
        yield* repository.update(idOf(2), Lifecycle.cancel(2))
        assert.strictEqual((yield* repository.reopen(idOf(1), Lifecycle.retryByHand(3))).status, "PENDING")
        assert.strictEqual((yield* repository.insert([unique(3)]))[0]?.id, idOf(1))
      }))
  })

  describe("remove", () => {
    test("deletes a finished task, once, and no other", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1), submitted(2)])
        assert.strictEqual((yield* Effect.flip(repository.remove(idOf(1))))._tag, "IllegalTransition")
        yield* repository.update(idOf(1), Lifecycle.cancel(0))
        yield* repository.remove(idOf(1))
        assert.deepStrictEqual(yield* repository.get(idOf(1)), Option.none())
        assert.strictEqual((yield* Effect.flip(repository.remove(idOf(1))))._tag, "TaskNotFound")
        assert.deepStrictEqual(yield* repository.counts, { PENDING: 1, PROCESSING: 0, COMPLETED: 0, FAILED: 0 })
      }))

    test("deletes it only in the status that is expected, where one is", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1)])
        yield* repository.update(idOf(1), Lifecycle.cancel(0))
        const refusedIn = (expected: TaskStatus) =>
          Effect.map(Effect.flip(repository.remove(idOf(1), expected)), (error) =>
            error._tag === "IllegalTransition" ? error.status : error._tag
          )
        assert.strictEqual(yield* refusedIn("COMPLETED"), "FAILED")
        yield* repository.reopen(idOf(1), Lifecycle.retryByHand(1))
        assert.strictEqual(yield* refusedIn("FAILED"), "PENDING")
        assert.strictEqual(yield* refusedIn("PENDING"), "PENDING")
        yield* repository.settle((yield* claimAll(repository, 2)).map((task) => completed(task)))
        assert.strictEqual(yield* refusedIn("FAILED"), "COMPLETED")
        assert.strictEqual((yield* repository.counts).COMPLETED, 1)
        yield* repository.remove(idOf(1), "COMPLETED")
        assert.deepStrictEqual(yield* repository.get(idOf(1)), Option.none())
      }))

    test("expects FAILED while it runs again and is COMPLETED: it goes before that, or not at all", (repository) =>
      Effect.gen(function* () {
        for (const n of range(40)) {
          yield* repository.insert([submitted(n)])
          yield* repository.update(idOf(n), Lifecycle.cancel(0))
          const again = Effect.gen(function* () {
            yield* repository.reopen(idOf(n), Lifecycle.retryByHand(1))
            yield* repository.settle((yield* claimAll(repository, 2)).map((task) => completed(task)))
          })
          const acts = [Effect.result(again), Effect.result(repository.remove(idOf(n), "FAILED"))]
          const results = yield* together(n % 2 === 0 ? acts : acts.toReversed())
          assert.strictEqual(results.filter(Result.isSuccess).length, 1)
        }
        const { tasks } = yield* repository.page({}, { limit: 100 })
        for (const { status } of tasks) assert.strictEqual(status, "COMPLETED")
      }))

    test("and a retry by hand at once: exactly one of them wins", (repository) =>
      Effect.gen(function* () {
        for (const n of range(40)) {
          yield* repository.insert([submitted(n)])
          yield* repository.update(idOf(n), Lifecycle.cancel(0))
          const acts = [
            Effect.result(Effect.asVoid(repository.reopen(idOf(n), Lifecycle.retryByHand(1)))),
            Effect.result(repository.remove(idOf(n)))
          ]
          const results = yield* together(n % 2 === 0 ? acts : acts.toReversed())
          assert.strictEqual(results.filter(Result.isSuccess).length, 1)
        }
      }))
  })

  describe("changes", () => {
    test("are told one by one in their order, with what was before and after", (repository) =>
      Effect.gen(function* () {
        const told = yield* changesDuring(
          repository,
          Effect.gen(function* () {
            yield* repository.insert([submitted(1), submitted(2)])
            const claimed = yield* repository.claim({ limit: 1, now: 0 })
            yield* repository.settle(claimed.map((task) => completed(task)))
            yield* repository.remove(idOf(1))
          })
        )
        assert.deepStrictEqual(
          told.map(({ after, before }) => [(after ?? before)?.id, before?.status, after?.status]),
          [
            [idOf(1), undefined, "PENDING"],
            [idOf(2), undefined, "PENDING"],
            [idOf(1), "PENDING", "PROCESSING"],
            [idOf(1), "PROCESSING", "COMPLETED"],
            [idOf(1), "COMPLETED", undefined]
          ]
        )
        const positions = told.map(({ position }) => position)
        assert.deepStrictEqual(
          positions,
          [...new Set(positions)].sort((a, b) => a - b)
        )
      }))

    test("a result is told whole, however long it is", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1)])
        const [claimed] = yield* claimAll(repository)
        assert(claimed !== undefined)
        const result = "é".repeat(100_000)
        const told = yield* changesDuring(
          repository,
          repository.settle([{ claimed, transition: Lifecycle.complete(result, 1) }])
        )
        assert.strictEqual(told.find(({ after }) => after?.id === idOf(1))?.after?.result, result)
      }))

    test("what is refused is not told", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1)])
        const told = yield* changesDuring(
          repository,
          Effect.ignore(repository.update(idOf(1), Lifecycle.complete("too early", 0)))
        )
        assert.deepStrictEqual(told, [])
      }))
  })
}
