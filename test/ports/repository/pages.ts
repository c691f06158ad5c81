import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import type { TaskId, VenomTask } from "../../../src/domain/Task.ts"
import type { TaskFilter } from "../../../src/ports/StateRepository.ts"
import { idOf, submitted } from "../../support/tasks.ts"
import { claimAll, completed, type Repository, type Tests, turns } from "./harness.ts"

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)
const idsOf = (tasks: ReadonlyArray<VenomTask>) => tasks.map(({ id }) => id)

/** Every page, one after the other; `between` happens after each. */
const pagesOf = (
  repository: Repository,
  filter: TaskFilter,
  limit: number,
  between: Effect.Effect<void, unknown> = Effect.void
) =>
  Effect.gen(function* () {
    const seen: Array<VenomTask> = []
    let before: TaskId | undefined
    for (;;) {
      const { more, tasks } = yield* repository.page(filter, { limit, ...(before === undefined ? {} : { before }) })
      assert.isAtMost(tasks.length, limit)
      seen.push(...tasks)
      before = tasks.at(-1)?.id
      if (!more || before === undefined) return seen
      yield* between
    }
  })

export const pages = (test: Tests): void => {
  describe("page", () => {
    test("of nothing is empty", (repository) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* repository.page({}, { limit: 10 }), { tasks: [], more: false })
      }))

    test("shows the newest first, whatever order they came in", (repository) =>
      Effect.gen(function* () {
        for (const n of [3, 1, 5, 2, 4]) yield* repository.insert([submitted(n)])
        const { tasks } = yield* repository.page({}, { limit: 10 })
        assert.deepStrictEqual(idsOf(tasks), [5, 4, 3, 2, 1].map(idOf))
      }))

    test("says whether older tasks may match too, and never withholds that they do", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert(numbers(0, 5).map((n) => submitted(n)))
        assert.isTrue((yield* repository.page({}, { limit: 4 })).more)
        assert.isFalse((yield* repository.page({}, { limit: 6 })).more)
        assert.deepStrictEqual(idsOf(yield* pagesOf(repository, {}, 5)), numbers(0, 5).toReversed().map(idOf))
      }))

    test("begins below `before`, which need not exist", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([1, 3, 5, 7].map((n) => submitted(n)))
        const below = (n: number) =>
          Effect.map(repository.page({}, { limit: 2, before: idOf(n) }), ({ tasks }) => idsOf(tasks))
        assert.deepStrictEqual(yield* below(5), [3, 1].map(idOf))
        assert.deepStrictEqual(yield* below(6), [5, 3].map(idOf))
        assert.deepStrictEqual(yield* below(99), [7, 5].map(idOf))
        assert.deepStrictEqual(yield* below(1), [])
        assert.deepStrictEqual(yield* below(0), [])
      }))

    test("filters by status, type, tag and text; every given part must hold", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([
          submitted(1, { content: "count the words", type: "words", tags: ["a", "b"] }),
          submitted(2, { content: "count the lines", type: "lines", tags: ["b"] }),
          submitted(3, { content: "Count nothing", type: "words", tags: [] }),
          submitted(4, { content: "count the words", type: "words", tags: ["ab"], priority: -1 })
        ])
        const [claimed] = yield* repository.claim({ limit: 1, now: 0 })
        if (claimed !== undefined) yield* repository.settle([completed(claimed)])
        yield* repository.claim({ limit: 1, now: 0 })
        const found = (filter: TaskFilter) =>
          Effect.map(repository.page(filter, { limit: 9 }), ({ tasks }) => idsOf(tasks))
        const ids = (...ns: ReadonlyArray<number>) => ns.map(idOf)
        assert.deepStrictEqual(yield* found({ status: "PENDING" }), ids(3, 2))
        assert.deepStrictEqual(yield* found({ status: "PROCESSING" }), ids(1))
        assert.deepStrictEqual(yield* found({ status: "COMPLETED" }), ids(4))
        assert.deepStrictEqual(yield* found({ status: "FAILED" }), [])
        assert.deepStrictEqual(yield* found({ type: "words" }), ids(4, 3, 1))
        assert.deepStrictEqual(yield* found({ type: "word" }), [])
        assert.deepStrictEqual(yield* found({ tag: "b" }), ids(2, 1))
        assert.deepStrictEqual(yield* found({ text: "count the" }), ids(4, 2, 1))
        assert.deepStrictEqual(yield* found({ text: "" }), ids(4, 3, 2, 1))
        assert.deepStrictEqual(yield* found({ text: "words", tag: "a" }), ids(1))
        assert.deepStrictEqual(yield* found({ text: "words", type: "words", status: "COMPLETED" }), ids(4))
        assert.deepStrictEqual(yield* found({ text: "words", type: "lines" }), [])
      }))

    test("shows the state that a task is in now", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1)])
        yield* repository.update(idOf(1), Lifecycle.cancel(0))
        assert.deepStrictEqual((yield* repository.page({ status: "PENDING" }, { limit: 9 })).tasks, [])
        assert.deepStrictEqual(idsOf((yield* repository.page({ status: "FAILED" }, { limit: 9 })).tasks), [idOf(1)])
      }))

    test("one after the other they visit each task once, while new ones come in and others change", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert(numbers(0, 100).map((n) => submitted(n)))
        let next = 100
        const more = Effect.suspend(() => repository.insert([submitted(next++)])).pipe(
          Effect.andThen(repository.claim({ limit: 1, now: 0 })),
          Effect.asVoid
        )
        assert.deepStrictEqual(idsOf(yield* pagesOf(repository, {}, 7, more)), numbers(0, 100).toReversed().map(idOf))
        assert.isAbove(next, 110)
      }))

    test("finds the few among many, and others have their turn while it looks", (repository) =>
      Effect.gen(function* () {
        const needles = [0, 999, 1000, 1001, 1999, 2000, 2999, 3000, 3001, 4999]
        yield* repository.insert(
          numbers(0, 5000).map((n) => submitted(n, { content: needles.includes(n) ? "a needle" : "hay" }))
        )
        const had = yield* turns
        const found = yield* repository.page({ text: "needle" }, { limit: 10 })
        assert.isAbove(had(), 0)
        assert.deepStrictEqual(idsOf(found.tasks), needles.toReversed().map(idOf))
        assert.isFalse(found.more)
        for (const limit of [1, 2, 5]) {
          assert.deepStrictEqual(
            idsOf(yield* pagesOf(repository, { text: "needle" }, limit)),
            needles.toReversed().map(idOf)
          )
        }
      }))
  })

  describe("counts", () => {
    test("are those of a recount, after every kind of change", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert(numbers(0, 12).map((n) => submitted(n)))
        const claimed = yield* repository.claim({ limit: 8, now: 0 })
        yield* repository.settle([
          ...claimed.slice(0, 2).map((task) => completed(task)),
          ...claimed.slice(2, 5).map((task) => ({ claimed: task, transition: Lifecycle.fail("error", "no", 0) })),
          ...claimed.slice(5, 6).map((task) => ({ claimed: task, transition: Lifecycle.release(0) }))
        ])
        yield* repository.reopen(idOf(2), Lifecycle.retryByHand(0))
        yield* repository.update(idOf(11), Lifecycle.cancel(0))
        assert.deepStrictEqual(yield* repository.counts, { PENDING: 5, PROCESSING: 2, COMPLETED: 2, FAILED: 3 })
        const { tasks } = yield* repository.page({}, { limit: 100 })
        const recount = { PENDING: 0, PROCESSING: 0, COMPLETED: 0, FAILED: 0 }
        for (const { status } of tasks) recount[status]++
        assert.deepStrictEqual(yield* repository.counts, recount)
        assert.strictEqual((yield* claimAll(repository)).length, 5)
      }))
  })
}
