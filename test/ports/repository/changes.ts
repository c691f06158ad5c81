import { assert, describe } from "@effect/vitest"
import { Effect, Fiber, Option, Result, Stream } from "effect"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import { after, idOf, submitted } from "../../support/tasks.ts"
import { claimAll, completed, read, type Repository, type Tests, together } from "./harness.ts"

const range = (count: number, from = 0) => Array.from({ length: count }, (_, n) => n + from)

export const changes = (test: Tests): void => {
  describe("insert", () => {
    test("what was inserted is read back equal, content and all", (repository) =>
      Effect.gen(function* () {
        const contents = ["", "two\nlines", "\u2028 \u0000 \ud800 😀", "x".repeat(100_000), '{"json":"\\"}']
        const tasks = contents.map((content, n) =>
          submitted(n, { content, tags: ["a", content], priority: 0 - n, runAt: n })
        )
        const traced = { ...submitted(99), traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` }
        tasks.push(traced)
        yield* repository.insert(tasks)
        for (const task of tasks) assert.deepStrictEqual(yield* read(repository, task.id), task)
      }))

    test("no change is left out where nothing goes wrong", (repository) =>
      Effect.gen(function* () {
        let left = 0
        const count = Stream.runForEach(repository.gaps, () => Effect.sync(() => left++))
        yield* Effect.forkScoped(count, { startImmediately: true })
        const heard = yield* Effect.forkChild(
          repository.changes.pipe(
            Stream.flatMap(Stream.fromIterable),
            Stream.takeUntil(({ after }) => after?.id === idOf(50)),
            Stream.runCount
          ),
          { startImmediately: true }
        )
        for (const n of range(50)) yield* repository.insert([submitted(n)])
        yield* Effect.result(repository.update(idOf(0), Lifecycle.complete("not running", 0)))
        yield* repository.insert([submitted(50)])
        assert.strictEqual(yield* Fiber.join(heard), 51)
        assert.strictEqual(left, 0)
      }))

    test("what was not inserted is not there", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1)])
        assert.deepStrictEqual(yield* repository.get(idOf(2)), Option.none())
      }))

    test(
      "inserts all or none: beyond the limit not one of them is there",
      (repository) =>
        Effect.gen(function* () {
          yield* repository.insert(range(8).map((n) => submitted(n)))
          const refused = yield* Effect.flip(repository.insert(range(3, 8).map((n) => submitted(n))))
          assert.strictEqual(refused._tag === "QueueFull" ? refused.limit : refused._tag, 10)
          for (const n of range(3, 8)) assert.deepStrictEqual(yield* repository.get(idOf(n)), Option.none())
          assert.strictEqual((yield* repository.counts).PENDING, 8)
          yield* repository.insert(range(2, 8).map((n) => submitted(n)))
        }),
      { maxPending: 10 }
    )

    test(
      "the limit holds under inserts at once: as many come in as there is room, and no more",
      (repository) =>
        Effect.gen(function* () {
          const inserts = range(50).map((n) =>
            Effect.result(repository.insert([submitted(2 * n), submitted(2 * n + 1)]))
          )
          const taken = (yield* together(inserts)).filter(Result.isSuccess)
          assert.strictEqual(taken.length, 5)
          assert.strictEqual((yield* repository.counts).PENDING, 10)
        }),
      { maxPending: 11 }
    )

    test(
      "running tasks count towards the limit, finished ones make room",
      (repository) =>
        Effect.gen(function* () {
          yield* repository.insert([submitted(1), submitted(2)])
          const claims = yield* claimAll(repository)
          assert.strictEqual((yield* Effect.flip(repository.insert([submitted(3)])))._tag, "QueueFull")
          yield* repository.settle(claims.slice(0, 1).map((task) => completed(task)))
          yield* repository.insert([submitted(3)])
          assert.strictEqual((yield* Effect.flip(repository.insert([submitted(4)])))._tag, "QueueFull")
        }),
      { maxPending: 2 }
    )

    test("nothing to insert is nothing to do", (repository) => repository.insert([]))
  })

  describe("update", () => {
    test("applies the transition and returns the task as it then is", (repository) =>
      Effect.gen(function* () {
        const task = submitted(1)
        yield* repository.insert([task])
        const cancelled = yield* repository.update(task.id, Lifecycle.cancel(7))
        assert.deepStrictEqual(cancelled, after(task, Lifecycle.cancel(7)))
        assert.deepStrictEqual(yield* read(repository, task.id), cancelled)
      }))

    test("an unknown task is TaskNotFound", (repository) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(repository.update(idOf(1), Lifecycle.cancel(0)))
        assert.strictEqual(error._tag === "TaskNotFound" ? error.taskId : error._tag, idOf(1))
      }))

    test("a transition that the state forbids is refused and leaves the task as it was", (repository) =>
      Effect.gen(function* () {
        const task = submitted(1)
        yield* repository.insert([task])
        const error = yield* Effect.flip(repository.update(task.id, Lifecycle.complete("no", 0)))
        assert.strictEqual(error._tag === "IllegalTransition" ? error.status : error._tag, "PENDING")
        assert.deepStrictEqual(yield* read(repository, task.id), task)
      }))

    test("of 100 updates at once each is decided on the state that the one before it left", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1)])
        yield* claimAll(repository)
        const told = range(100).map((n) =>
          repository.update(idOf(1), Lifecycle.log([`1970-01-01T00:00:00.000Z line ${n}`], n))
        )
        const revisions = (yield* together(told)).map(({ revision }) => revision)
        assert.deepStrictEqual(
          revisions.sort((a, b) => a - b),
          range(100, 3)
        )
        const { logs } = yield* read(repository, idOf(1))
        for (const n of range(100)) assert.strictEqual(logs.filter((line) => line.endsWith(` line ${n}`)).length, 1)
      }))

    test("of 20 cancels at once one wins", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1)])
        const results = yield* together(
          range(20).map((n) => Effect.result(repository.update(idOf(1), Lifecycle.cancel(n))))
        )
        assert.strictEqual(results.filter(Result.isSuccess).length, 1)
        assert.strictEqual((yield* read(repository, idOf(1))).revision, 2)
      }))
  })

  describe("reopen", () => {
    const failed = Effect.fnUntraced(function* (repository: Repository, numbers: ReadonlyArray<number>) {
      yield* repository.insert(numbers.map((n) => submitted(n)))
      for (const n of numbers) yield* repository.update(idOf(n), Lifecycle.cancel(0))
    })
    const retry = (repository: Repository, n: number) => repository.reopen(idOf(n), Lifecycle.retryByHand(1))

    const happens = <A, E>(change: Effect.Effect<A, E>) =>
      Effect.match(change, { onFailure: () => false, onSuccess: () => true })

    test("applies the transition and returns the task as it then is; nothing else makes it unfinished", (repository) =>
      Effect.gen(function* () {
        yield* failed(repository, [1])
        const before = yield* read(repository, idOf(1))
        const refused = yield* Effect.flip(repository.update(idOf(1), Lifecycle.retryByHand(1)))
        assert.strictEqual(refused._tag, "IllegalTransition")
        assert.deepStrictEqual(yield* read(repository, idOf(1)), before)
        const reopened = yield* retry(repository, 1)
        assert.deepStrictEqual(reopened, after(before, Lifecycle.retryByHand(1)))
        assert.deepStrictEqual(yield* read(repository, idOf(1)), reopened)
        assert.strictEqual((yield* Effect.flip(retry(repository, 1)))._tag, "IllegalTransition")
        assert.strictEqual((yield* Effect.flip(retry(repository, 2)))._tag, "TaskNotFound")
      }))

    test(
      "needs room as an insert does: beyond the limit the task stays as it was",
      (repository) =>
        Effect.gen(function* () {
          yield* failed(repository, [1, 2, 3])
          yield* repository.insert(range(3, 4).map((n) => submitted(n)))
          const refused = yield* Effect.flip(retry(repository, 1))
          assert.strictEqual(refused._tag === "QueueFull" ? refused.limit : refused._tag, 3)
          assert.deepStrictEqual(yield* repository.counts, { PENDING: 3, PROCESSING: 0, COMPLETED: 0, FAILED: 3 })
          const [claimed] = yield* repository.claim({ limit: 1, now: 0 })
          assert.strictEqual((yield* Effect.flip(retry(repository, 1)))._tag, "QueueFull")
          if (claimed !== undefined) yield* repository.settle([completed(claimed)])
          yield* retry(repository, 1)
          assert.strictEqual((yield* Effect.flip(retry(repository, 2)))._tag, "QueueFull")
          assert.strictEqual((yield* Effect.flip(repository.insert([submitted(9)])))._tag, "QueueFull")
        }),
      { maxPending: 3 }
    )

    test(
      "the limit holds under retries and inserts at once",
      (repository) =>
        Effect.gen(function* () {
          for (const from of [0, 10, 20, 30]) yield* failed(repository, range(10, from))
          const retries = range(40).map((n) => happens(retry(repository, n)))
          const inserts = range(20, 100).map((n) => happens(repository.insert([submitted(n)])))
          const taken = (yield* together([...retries, ...inserts])).filter((happened) => happened)
          assert.strictEqual(taken.length, 11)
          assert.strictEqual((yield* repository.counts).PENDING, 11)
          // and the count of them is right when they have finished, however often they were reopened
          for (const n of range(3)) {
            yield* repository.settle((yield* claimAll(repository, 5)).map((task) => completed(task)))
            yield* repository.insert(range(11, 1000 + 100 * n).map((m) => submitted(m)))
            assert.strictEqual((yield* Effect.flip(retry(repository, 39)))._tag, "QueueFull")
          }
        }),
      { maxPending: 11 }
    )

    test(
      "what is cancelled and reopened again and again takes one place",
      (repository) =>
        Effect.gen(function* () {
          yield* failed(repository, [1])
          yield* repository.insert([submitted(2)])
          for (const _ of range(20)) {
            yield* together([happens(retry(repository, 1)), happens(repository.update(idOf(1), Lifecycle.cancel(1)))])
          }
          yield* Effect.result(repository.update(idOf(1), Lifecycle.cancel(1)))
          yield* repository.insert([submitted(3)])
          assert.strictEqual((yield* Effect.flip(retry(repository, 1)))._tag, "QueueFull")
        }),
      { maxPending: 2 }
    )
  })

  describe("a refusal", () => {
    test("is told when what it was decided on can be read, not before", (repository) =>
      Effect.gen(function* () {
        for (const n of range(20)) {
          yield* repository.insert([submitted(n)])
          const cancelAndRead = repository
            .update(idOf(n), Lifecycle.cancel(0))
            .pipe(Effect.exit, Effect.andThen(read(repository, idOf(n))))
          const [first, second] = yield* Effect.all([cancelAndRead, cancelAndRead], { concurrency: 2 })
          assert.deepStrictEqual([first.status, second.status], ["FAILED", "FAILED"])
        }
      }))
  })

  describe("interrupting a caller", () => {
    test("leaves an insert whole", (repository) =>
      Effect.gen(function* () {
        for (const n of range(20)) {
          const group = range(3, 3 * n).map((m) => submitted(m))
          yield* Fiber.interrupt(yield* Effect.forkChild(repository.insert(group), { startImmediately: true }))
        }
        yield* repository.insert([submitted(1000)])
        for (const n of range(20)) {
          const group = yield* Effect.forEach(range(3, 3 * n), (m) => repository.get(idOf(m)))
          assert.include([0, 3], group.filter(Option.isSome).length)
        }
        const { PENDING } = yield* repository.counts
        assert.strictEqual((yield* claimAll(repository)).length, PENDING)
      }))

    test("leaves an update whole: what comes after is decided on it", (repository) =>
      Effect.gen(function* () {
        for (const n of range(20)) {
          yield* repository.insert([submitted(n)])
          const cancel = yield* Effect.forkChild(repository.update(idOf(n), Lifecycle.cancel(0)), {
            startImmediately: true
          })
          yield* Fiber.interrupt(cancel)
          const again = yield* Effect.result(repository.update(idOf(n), Lifecycle.cancel(1)))
          const task = yield* read(repository, idOf(n))
          assert.strictEqual(task.status, "FAILED")
          assert.strictEqual(task.revision, 2)
          assert.strictEqual(task.updatedAt, Result.isSuccess(again) ? 1 : 0)
        }
      }))
  })
}
