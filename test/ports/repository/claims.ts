import { assert, describe } from "@effect/vitest"
import { Effect, Option, Queue, Result, Stream } from "effect"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import type { TaskId } from "../../../src/domain/Task.ts"
import { idOf, submitted } from "../../support/tasks.ts"
import { claimAll, completed, read, type Repository, type Tests, together, turns } from "./harness.ts"

const range = (count: number, from = 0) => Array.from({ length: count }, (_, n) => n + from)
const idsOf = (tasks: ReadonlyArray<{ readonly id: TaskId }>) => tasks.map(({ id }) => id)

export const claims = (test: Tests): void => {
  describe("claim", () => {
    test("takes by priority, then by due time, then by age", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([
          submitted(5, { priority: 1, runAt: 0 }),
          submitted(4, { priority: 0, runAt: 9 }),
          submitted(3, { priority: 0, runAt: 8 }),
          submitted(2, { priority: 0, runAt: 9 }),
          submitted(1, { priority: -100, runAt: 10 })
        ])
        assert.deepStrictEqual(idsOf(yield* repository.claim({ limit: 2, now: 10 })), [1, 3].map(idOf))
        assert.deepStrictEqual(idsOf(yield* repository.claim({ limit: 9, now: 10 })), [2, 4, 5].map(idOf))
      }))

    test("of a crowd that is due at once takes the most urgent, and others have their turn meanwhile", (repository) =>
      Effect.gen(function* () {
        const crowd = range(9999).map((n) => submitted(n, { runAt: 100 }))
        yield* repository.insert([...crowd, submitted(9999, { priority: -1, runAt: 100 })])
        const had = yield* turns
        assert.deepStrictEqual(idsOf(yield* repository.claim({ limit: 2, now: 100 })), [9999, 0].map(idOf))
        assert.isAbove(had(), 0)
        const { oldestDue } = yield* repository.queueCounts({ now: 100, types: 10 })
        assert.deepStrictEqual(oldestDue, Option.some(100))
      }))

    test("takes nothing before its time, however urgent, also when the clock goes back", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([
          submitted(1, { priority: -100, runAt: 100 }),
          submitted(2, { runAt: 100 }),
          submitted(3)
        ])
        assert.deepStrictEqual(idsOf(yield* repository.claim({ limit: 9, now: 99 })), [idOf(3)])
        assert.deepStrictEqual(idsOf(yield* repository.claim({ limit: 1, now: 100 })), [idOf(1)])
        assert.deepStrictEqual(idsOf(yield* repository.claim({ limit: 9, now: 99 })), [])
        assert.deepStrictEqual(idsOf(yield* repository.claim({ limit: 9, now: 100 })), [idOf(2)])
      }))

    test("takes no more than asked for", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert(range(10).map((n) => submitted(n)))
        assert.deepStrictEqual(yield* repository.claim({ limit: 0, now: 0 }), [])
        assert.strictEqual((yield* repository.claim({ limit: 3, now: 0 })).length, 3)
        assert.strictEqual((yield* repository.claim({ limit: 100, now: 0 })).length, 7)
        assert.deepStrictEqual(yield* repository.claim({ limit: 100, now: 0 }), [])
      }))

    test("what it returns is PROCESSING, for every reader, with its attempt counted", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1)])
        const [claimed] = yield* claimAll(repository, 5)
        assert.strictEqual(claimed?.status, "PROCESSING")
        assert.deepStrictEqual(claimed?.attempts, [
          { attempt: 1, startedAt: 5, finishedAt: null, outcome: null, error: null }
        ])
        assert.deepStrictEqual(yield* read(repository, idOf(1)), claimed)
      }))

    test("claims at once never share a task and miss none", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert(range(300).map((n) => submitted(n)))
        const taken = (yield* together(range(40).map(() => repository.claim({ limit: 8, now: 0 })))).flat()
        assert.deepStrictEqual(idsOf(taken).sort(), range(300).map(idOf))
      }))

    test("takes a task again after a retry and after a release, when it is due", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1), submitted(2)])
        const [first, second] = yield* claimAll(repository)
        if (first === undefined || second === undefined) return assert.fail("both are due")
        yield* repository.settle([
          { claimed: first, transition: Lifecycle.retry("error", "no", 50, 10) },
          { claimed: second, transition: Lifecycle.release(10) }
        ])
        assert.deepStrictEqual(idsOf(yield* claimAll(repository, 49)), [second.id])
        assert.deepStrictEqual(
          (yield* claimAll(repository, 50)).map(({ attempt }) => attempt),
          [2]
        )
      }))

    test("a cancelled task is not claimed", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1), submitted(2)])
        yield* repository.update(idOf(1), Lifecycle.cancel(0))
        assert.deepStrictEqual(idsOf(yield* claimAll(repository)), [idOf(2)])
      }))

    test("takes only tasks of the types asked for, and holds the others for whoever asks for them", (repository) =>
      Effect.gen(function* () {
        const of = (...types: ReadonlyArray<string>) => ({ limit: 9, now: 10, types: new Set(types) })
        yield* repository.insert([
          submitted(1, { type: "mail", priority: -9 }),
          submitted(2, { type: "sms" }),
          submitted(3, { type: "fax", concurrencyKey: "a" }),
          submitted(4, { type: "sms", runAt: 20 }),
          submitted(5, { type: "mail" })
        ])
        assert.deepStrictEqual(yield* repository.claim(of("nothing")), [])
        assert.deepStrictEqual(idsOf(yield* repository.claim(of("sms", "fax"))), [2, 3].map(idOf))
        yield* repository.updateFlow(() => ({ paused: false, types: { mail: { concurrency: 9 }, sms: {} }, keys: {} }))
        assert.deepStrictEqual(yield* repository.claim(of("sms", "fax")), [])
        assert.deepStrictEqual(idsOf(yield* repository.claim({ ...of("sms"), now: 20 })), [idOf(4)])
        assert.deepStrictEqual(yield* repository.counts, { PENDING: 2, PROCESSING: 3, COMPLETED: 0, FAILED: 0 })
        assert.deepStrictEqual(idsOf(yield* repository.claim({ ...of("mail"), limit: 1 })), [idOf(1)])
        assert.deepStrictEqual(idsOf(yield* claimAll(repository, 10)), [idOf(5)])
      }))

    test("counts what is on its way when a rate is set", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([1, 2, 3].map((n) => submitted(n, { type: "mail" })))
        const rate = { limit: 2, per: "1 hour" } as const
        const [first] = yield* Effect.all(
          [
            repository.claim({ limit: 1, now: 10 }),
            repository.updateFlow(() => ({ paused: false, types: { mail: { rate } }, keys: {} }))
          ],
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(idsOf(first), [idOf(1)])
        assert.deepStrictEqual(idsOf(yield* claimAll(repository, 11)), [idOf(2)])
        assert.deepStrictEqual(yield* repository.nextDue(), Option.some(10 + 60 * 60 * 1000))
      }))

    test("counts the last that have begun when a rate is set, retries too, however many there were", (repository) =>
      Effect.gen(function* () {
        const hour = 60 * 60 * 1000
        yield* repository.insert(range(30).map((n) => submitted(n, { type: "mail" })))
        for (const n of range(29)) {
          const claimed = yield* repository.claim({ limit: 1, now: 10 * n })
          yield* repository.settle(claimed.map((task) => completed(task, 10 * n)))
        }
        const [last] = yield* repository.claim({ limit: 1, now: 1000 })
        if (last === undefined) return assert.fail("it is due")
        yield* repository.settle([{ claimed: last, transition: Lifecycle.retry("error", "no", 1001, 1000) }])
        const again = yield* repository.claim({ limit: 1, now: 1001 })
        yield* repository.settle(again.map((task) => completed(task, 1002)))
        yield* repository.insert([submitted(99, { type: "mail" })])
        for (const [limit, first] of [
          [1, 1001],
          [2, 1000],
          [3, 280],
          [4, 270]
        ] as const) {
          const rate = { limit, per: "1 hour" } as const
          yield* repository.updateFlow(() => ({ paused: false, types: { mail: { rate } }, keys: {} }))
          assert.deepStrictEqual(yield* repository.claim({ limit: 1, now: 2000 }), [])
          assert.deepStrictEqual(yield* repository.nextDue(), Option.some(first + hour))
        }
      }))

    test("racing a cancel it gets the task or it does not, and the state says the same", (repository) =>
      Effect.gen(function* () {
        for (const n of range(40)) {
          yield* repository.insert([submitted(n)])
          const claim = Effect.map(claimAll(repository, 1), ({ length }) => length)
          const cancel = Effect.as(repository.update(idOf(n), Lifecycle.cancel(2)), -1)
          const results = yield* together(n % 2 === 0 ? [claim, cancel] : [cancel, claim])
          const task = yield* read(repository, idOf(n))
          assert.strictEqual(task.failure?.reason, "cancelled")
          assert.strictEqual(
            task.attempt,
            results.find((length) => length >= 0)
          )
          assert.strictEqual(task.attempts.length, task.attempt)
        }
        assert.deepStrictEqual(yield* claimAll(repository, 9), [])
      }))
  })

  describe("settle", () => {
    test("returns each task as it then is", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert(range(5).map((n) => submitted(n)))
        const settled = yield* repository.settle((yield* claimAll(repository)).map((task) => completed(task, 9)))
        for (const [n, result] of settled.entries()) {
          const task = Result.getOrThrow(result)
          assert.strictEqual(task.result, `result of task ${n}`)
          assert.deepStrictEqual(yield* read(repository, idOf(n)), task)
        }
      }))

    test("refuses what comes too late, one by one, and takes the rest", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert(range(4).map((n) => submitted(n)))
        const claimed = yield* claimAll(repository)
        const [, cancelled, released] = claimed
        if (cancelled === undefined || released === undefined) return assert.fail("all are due")
        yield* repository.update(cancelled.id, Lifecycle.cancel(0))
        yield* repository.settle([{ claimed: released, transition: Lifecycle.release(0) }])
        const [again] = yield* claimAll(repository)
        const settled = yield* repository.settle([
          ...claimed.map((task) => completed(task)),
          completed({ ...submitted(99), status: "PROCESSING" })
        ])
        const outcomes = settled.map((result) =>
          Result.isSuccess(result) ? result.success.status : result.failure._tag
        )
        assert.deepStrictEqual(outcomes, [
          "COMPLETED",
          "IllegalTransition",
          "IllegalTransition",
          "COMPLETED",
          "TaskNotFound"
        ])
        assert.strictEqual((yield* read(repository, cancelled.id)).failure?.reason, "cancelled")
        assert.deepStrictEqual(yield* read(repository, released.id), again)
      }))

    test("takes one verdict of a claim and refuses the second, in one batch too", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1)])
        const [claimed] = yield* claimAll(repository)
        if (claimed === undefined) return assert.fail("it is due")
        const twice = yield* repository.settle([
          completed(claimed, 1),
          { claimed, transition: Lifecycle.fail("error", "no", 2) }
        ])
        assert.deepStrictEqual(twice.map(Result.isSuccess), [true, false])
        const [third] = yield* repository.settle([completed(claimed, 3)])
        assert.isTrue(third !== undefined && Result.isFailure(third))
        assert.strictEqual((yield* read(repository, idOf(1))).finishedAt, 1)
      }))

    test("racing a cancel one of the two wins, and the state says which", (repository) =>
      Effect.gen(function* () {
        for (const n of range(40)) {
          yield* repository.insert([submitted(n)])
          const claimed = yield* claimAll(repository)
          const settle = Effect.map(repository.settle(claimed.map((task) => completed(task))), (results) =>
            results.some(Result.isSuccess) ? ["COMPLETED"] : []
          )
          const cancel = Effect.match(repository.update(idOf(n), Lifecycle.cancel(0)), {
            onSuccess: () => ["FAILED"],
            onFailure: () => []
          })
          const winners = (yield* together(n % 2 === 0 ? [settle, cancel] : [cancel, settle])).flat()
          assert.deepStrictEqual(winners, [(yield* read(repository, idOf(n))).status])
        }
      }))

    test("no verdicts, no results", (repository) =>
      Effect.map(repository.settle([]), (results) => assert.deepStrictEqual(results, [])))
  })

  describe("rescue", () => {
    test("leaves alone what this process has claimed", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1), submitted(2)])
        const [claimed] = yield* repository.claim({ limit: 1, now: 0 })
        assert.deepStrictEqual(yield* repository.rescue(Lifecycle.rescue(3, 0)), [])
        assert.deepStrictEqual(yield* read(repository, idOf(1)), claimed)
      }))
  })

  describe("nextDue", () => {
    test("is the earliest due time of the PENDING tasks, when none is due yet", (repository) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* repository.nextDue(), Option.none())
        yield* repository.insert([submitted(1, { runAt: 300, priority: -9 }), submitted(2, { runAt: 200 })])
        assert.deepStrictEqual(yield* repository.nextDue(), Option.some(200))
        yield* repository.update(idOf(2), Lifecycle.cancel(0))
        assert.deepStrictEqual(yield* repository.nextDue(), Option.some(300))
        assert.deepStrictEqual(yield* repository.claim({ limit: 1, now: 299 }), [])
        yield* repository.insert([submitted(3, { runAt: 250 })])
        assert.deepStrictEqual(yield* repository.nextDue(), Option.some(250))
      }))

    test("lies in the past while something due waits to be claimed, and is none when nothing waits", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1, { runAt: 10 }), submitted(2, { runAt: 20 })])
        yield* repository.claim({ limit: 1, now: 100 })
        assert.deepStrictEqual(yield* repository.nextDue(), Option.some(20))
        yield* repository.claim({ limit: 1, now: 100 })
        assert.deepStrictEqual(yield* repository.nextDue(), Option.none())
      }))

    test("passes over tasks of other types", (repository) =>
      Effect.gen(function* () {
        const types = new Set(["sms"])
        yield* repository.insert([submitted(1, { type: "mail" })])
        assert.deepStrictEqual(yield* repository.claim({ limit: 9, now: 5, types }), [])
        assert.deepStrictEqual(yield* repository.nextDue(types), Option.none())
        yield* repository.insert([submitted(2, { type: "sms" })])
        assert.deepStrictEqual(yield* repository.nextDue(types), Option.some(0))
        assert.strictEqual((yield* repository.claim({ limit: 9, now: 5, types })).length, 1)
        assert.deepStrictEqual(yield* repository.nextDue(types), Option.none())
        assert.deepStrictEqual(yield* repository.nextDue(), Option.some(0))
      }))

    test("knows when a retry is due", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1)])
        const retry = Lifecycle.retry("error", "no", 700, 0)
        yield* repository.settle((yield* claimAll(repository)).map((claimed) => ({ claimed, transition: retry })))
        assert.deepStrictEqual(yield* repository.nextDue(), Option.some(700))
      }))
  })

  describe("wake", () => {
    const listen = (repository: Repository) =>
      Effect.gen(function* () {
        const hints = yield* Queue.unbounded<void>()
        yield* Effect.forkScoped(Stream.runForEach(repository.wake, () => Queue.offer(hints, undefined)))
        return hints
      })

    /** Takes out the hints at what was, until no more come. */
    const forget = (hints: Queue.Queue<void>) =>
      Effect.gen(function* () {
        do for (const _ of range(20)) yield* Effect.yieldNow
        while ((yield* Queue.clear(hints)).length > 0)
      })

    test("hints at a task that came in", (repository) =>
      Effect.gen(function* () {
        const hints = yield* listen(repository)
        for (const n of range(3)) {
          yield* forget(hints)
          yield* repository.insert([submitted(n)])
          yield* Queue.take(hints)
        }
      }))

    test("hints at a retry, a release and a retry by hand", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1)])
        const hints = yield* listen(repository)
        for (const transition of [Lifecycle.retry("error", "no", 0, 0), Lifecycle.release(0)]) {
          const claimed = yield* claimAll(repository)
          yield* forget(hints)
          yield* repository.settle(claimed.map((task) => ({ claimed: task, transition })))
          yield* Queue.take(hints)
        }
        yield* repository.update(idOf(1), Lifecycle.cancel(0))
        yield* forget(hints)
        yield* repository.reopen(idOf(1), Lifecycle.retryByHand(0))
        yield* Queue.take(hints)
      }))

    test("hints a late subscriber at what came before it", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1)])
        yield* Stream.runHead(repository.wake)
      }))
  })

  describe("health", () => {
    test("is writable to begin with", (repository) =>
      Effect.map(repository.health, (health) => assert.strictEqual(health._tag, "Writable")))
  })
}
