import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Result, Schema } from "effect"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import * as Span from "../../../src/domain/Span.ts"
import { type Instant, isFinished, type TaskId, TaskStatus, type VenomTask } from "../../../src/domain/Task.ts"
import { type Retention, StateRepository, type TaskFilter } from "../../../src/ports/StateRepository.ts"
import { AnyTransition, toTransition } from "../../support/AnyTransition.ts"
import { idOf, submitted } from "../../support/tasks.ts"
import { type MakeRepository, quiet, type Repository } from "./harness.ts"

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

/** Small numbers, so that operations meet each other. */
const AnyOperation = Schema.Union([
  Schema.Struct({
    _tag: Schema.tag("insert"),
    tasks: Schema.Array(
      Schema.Struct({
        n: upTo(1e9),
        priority: Schema.Int.check(Schema.isBetween({ minimum: -2, maximum: 2 })),
        wait: upTo(500),
        retention: Schema.NullOr(upTo(2000)),
        word: Schema.Literals(["red", "green", "blue"])
      })
    ).check(Schema.isMaxLength(6))
  }),
  Schema.Struct({ _tag: Schema.tag("update"), n: upTo(30), step: AnyTransition }),
  Schema.Struct({ _tag: Schema.tag("claim"), limit: upTo(5), elapsed: upTo(400) }),
  Schema.Struct({
    _tag: Schema.tag("settle"),
    verdicts: Schema.Array(Schema.Struct({ claim: upTo(12), step: AnyTransition })).check(Schema.isMaxLength(5))
  }),
  Schema.Struct({ _tag: Schema.tag("prune"), age: upTo(3000), failedAge: upTo(3000), keep: upTo(6), limit: upTo(4) }),
  Schema.Struct({
    _tag: Schema.tag("page"),
    limit: upTo(7),
    before: Schema.NullOr(upTo(30)),
    status: Schema.NullOr(TaskStatus),
    word: Schema.NullOr(Schema.Literals(["red", "green", "blue", "e"]))
  })
])
const AnyOperations = Schema.Array(AnyOperation).check(Schema.isMaxLength(40))
type AnyOperation = typeof AnyOperation.Type

/** The trivially simple repository: a map and the pure Lifecycle. */
class Model {
  readonly tasks = new Map<TaskId, VenomTask>()

  change(id: TaskId, transition: Lifecycle.Transition): VenomTask | string {
    const task = this.tasks.get(id)
    if (task === undefined) return "TaskNotFound"
    const changed = transition(task)
    if (Result.isFailure(changed)) return changed.failure._tag
    this.tasks.set(id, changed.success)
    return changed.success
  }

  claim(limit: number, now: Instant): ReadonlyArray<VenomTask | string> {
    return [...this.tasks.values()]
      .filter(({ runAt, status }) => status === "PENDING" && runAt <= now)
      .sort((a, b) => a.priority - b.priority || a.runAt - b.runAt || (a.id < b.id ? -1 : 1))
      .slice(0, limit)
      .map(({ id }) => this.change(id, Lifecycle.claim(now)))
  }

  page(filter: TaskFilter, before: TaskId | undefined): ReadonlyArray<VenomTask> {
    return [...this.tasks.values()]
      .filter(({ id }) => before === undefined || id < before)
      .filter(({ status }) => filter.status === undefined || status === filter.status)
      .filter(({ type }) => filter.type === undefined || type === filter.type)
      .filter(({ tags }) => filter.tag === undefined || tags.includes(filter.tag))
      .filter(({ content }) => filter.text === undefined || content.includes(filter.text))
      .sort((a, b) => (a.id < b.id ? 1 : -1))
  }

  prune(now: Instant, retention: Retention, keep: number, limit: number): ReadonlyArray<TaskId> {
    const endOf = (task: VenomTask) =>
      (task.finishedAt ?? 0) +
      (task.retention === undefined
        ? retention[task.status === "FAILED" ? "FAILED" : "COMPLETED"]
        : Span.millis(task.retention))
    const by = (time: (task: VenomTask) => number) => (a: VenomTask, b: VenomTask) =>
      time(a) - time(b) || (a.id < b.id ? -1 : 1)
    const finished = [...this.tasks.values()].filter(isFinished)
    const ended = finished.filter((task) => endOf(task) <= now).sort(by(endOf))
    const left = finished.filter((task) => endOf(task) > now).sort(by(({ finishedAt }) => finishedAt ?? 0))
    const gone = [...ended, ...left.slice(0, Math.max(0, left.length - keep))].slice(0, limit)
    for (const { id } of gone) this.tasks.delete(id)
    return gone.map(({ id }) => id)
  }

  get counts(): Record<TaskStatus, number> {
    const counts = { PENDING: 0, PROCESSING: 0, COMPLETED: 0, FAILED: 0 }
    for (const { status } of this.tasks.values()) counts[status]++
    return counts
  }

  get nextDue(): number {
    return Math.min(...[...this.tasks.values()].filter(({ status }) => status === "PENDING").map(({ runAt }) => runAt))
  }
}

/** A task or, in place of one, the tag of the error. */
const told = <E extends { readonly _tag: string }>(result: Result.Result<VenomTask, E>): VenomTask | string =>
  Result.isSuccess(result) ? result.success : result.failure._tag

/** Does the operations to the repository and to the model, and compares all that either tells. */
export const runBoth = Effect.fnUntraced(function* (repository: Repository, operations: ReadonlyArray<AnyOperation>) {
  const model = new Model()
  const claims: Array<VenomTask> = []
  const ids: Array<TaskId> = []
  let now = 1000
  let latest = now
  for (const operation of operations) {
    switch (operation._tag) {
      case "insert": {
        const tasks = operation.tasks
          .filter(({ n }, index, all) => !model.tasks.has(idOf(n)) && all.findIndex((other) => other.n === n) === index)
          .map(({ n, priority, retention, wait, word }) =>
            submitted(
              n,
              {
                content: `a ${word} task`,
                type: word,
                tags: [word, "all"],
                priority,
                runAt: now + wait,
                ...(retention === null ? {} : { retention })
              },
              now
            )
          )
        yield* repository.insert(tasks)
        for (const task of tasks) model.tasks.set(task.id, task)
        ids.push(...tasks.map(({ id }) => id))
        break
      }
      case "update": {
        now = Math.max(0, now + operation.step.elapsed)
        const id = ids[operation.n % Math.max(ids.length, 1)] ?? idOf(operation.n)
        const transition = toTransition(operation.step, now)
        const change = operation.step.name === "retryByHand" ? repository.reopen : repository.update
        const updated = yield* Effect.result(change(id, transition))
        assert.deepStrictEqual(told(updated), model.change(id, transition))
        break
      }
      case "claim": {
        now += operation.elapsed
        const claimed = yield* repository.claim({ limit: operation.limit, now })
        assert.deepStrictEqual<ReadonlyArray<VenomTask | string>>(claimed, model.claim(operation.limit, now))
        claims.unshift(...claimed)
        break
      }
      case "settle": {
        const settlements = operation.verdicts.flatMap(({ claim, step }) => {
          const claimed = claims[claim]
          return claimed === undefined ? [] : [{ claimed, transition: toTransition(step, now) }]
        })
        const settled = yield* repository.settle(settlements)
        assert.deepStrictEqual(
          settled.map(told),
          settlements.map(({ claimed, transition }) => model.change(claimed.id, Lifecycle.heldBy(claimed, transition)))
        )
        break
      }
      case "prune": {
        const { age, failedAge, keep, limit } = operation
        const retention = { COMPLETED: age, FAILED: failedAge }
        const { count } = yield* repository.prune({ now, retention, keep, limit })
        const gone = model.prune(now, retention, keep, limit)
        assert.strictEqual(count, gone.length)
        for (const id of gone) assert.deepStrictEqual(yield* repository.get(id), Option.none())
        break
      }
      case "page": {
        const { limit, status, word } = operation
        const before = operation.before === null ? undefined : ids[operation.before]
        const filter: TaskFilter = {
          ...(status === null ? {} : { status }),
          ...(word === null ? {} : word === "e" ? { text: word, tag: "all" } : { type: word })
        }
        const page = yield* repository.page(filter, { limit, ...(before === undefined ? {} : { before }) })
        const expected = model.page(filter, before)
        assert.deepStrictEqual(page.tasks, expected.slice(0, limit))
        assert.isTrue(page.more || expected.length <= limit, "more")
      }
    }
    assert.deepStrictEqual(yield* repository.counts, model.counts)
    const due = Option.getOrElse(yield* repository.nextDue(), () => Infinity)
    if (model.nextDue > now) assert.strictEqual(due, model.nextDue)
    // behind what was due before the clock went back, the next one may hide until somebody claims
    else if (now >= latest) assert.isAtMost(due, now)
    latest = Math.max(now, latest)
  }
  for (const task of model.tasks.values()) assert.deepStrictEqual(yield* repository.get(task.id), Option.some(task))
  return model.tasks
})

export const againstModel = (make: MakeRepository, runs: number): void => {
  describe("any sequence of operations", () => {
    it.live.prop(
      "tells the same as a map and the pure Lifecycle",
      [AnyOperations],
      ([operations]) =>
        Effect.flatMap(StateRepository, (repository) => runBoth(repository, operations)).pipe(
          Effect.provide(Layer.fresh(make({})).pipe(Layer.provideMerge(quiet)))
        ),
      { arbitrary: { runs }, timeout: 60_000 }
    )
  })
}
