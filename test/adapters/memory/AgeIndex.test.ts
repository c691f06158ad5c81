import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { AgeIndex } from "../../../src/adapters/memory/AgeIndex.ts"
import { type TaskId, TaskStatus, type VenomTask } from "../../../src/domain/Task.ts"
import type { TaskFilter } from "../../../src/ports/StateRepository.ts"
import { idOf, submitted } from "../../support/tasks.ts"

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
const Word = Schema.Literals(["red", "green", "blue"])

/** Runs of neighbours, so that chunks fill up, are split, thin out and are merged. */
const Step = Schema.Union([
  Schema.Struct({
    _tag: Schema.tag("add"),
    from: upTo(3000),
    count: upTo(700),
    /** 1: in order; otherwise each so far from the one before. */
    stride: upTo(40),
    type: Word,
    tags: Schema.Array(Word).check(Schema.isMaxLength(3))
  }),
  Schema.Struct({ _tag: Schema.tag("change"), from: upTo(3000), count: upTo(700), every: upTo(7), status: TaskStatus }),
  Schema.Struct({ _tag: Schema.tag("remove"), from: upTo(3000), count: upTo(2000), every: upTo(7) }),
  Schema.Struct({
    _tag: Schema.tag("find"),
    before: Schema.NullOr(upTo(3100)),
    status: Schema.NullOr(TaskStatus),
    type: Schema.NullOr(Word),
    tag: Schema.NullOr(Word)
  })
])
const Steps = Schema.Array(Step).check(Schema.isMaxLength(30))

const range = (count: number) => Array.from({ length: count }, (_, n) => n)

const matches = (task: VenomTask, { status, tag, type }: TaskFilter) =>
  (status === undefined || task.status === status) &&
  (type === undefined || task.type === type) &&
  (tag === undefined || task.tags.includes(tag))

const tableOf = () => {
  const tasks = new Map<TaskId, VenomTask>()
  const index = new AgeIndex((id) => tasks.get(id))
  const add = (task: VenomTask) => {
    if (tasks.has(task.id)) return
    tasks.set(task.id, task)
    index.add(task)
  }
  const change = (id: TaskId, status: TaskStatus) => {
    const before = tasks.get(id)
    if (before === undefined) return
    const after = { ...before, status }
    tasks.set(id, after)
    index.change(before, after)
  }
  const remove = (id: TaskId) => {
    const task = tasks.get(id)
    if (task === undefined) return
    index.remove(task)
    tasks.delete(id)
  }
  const found = (filter: TaskFilter, before?: TaskId) => Array.from(index.newestFirst(filter, before))
  const check = (filter: TaskFilter, before?: TaskId) => {
    const looked = found(filter, before)
    assert.deepStrictEqual(
      looked.filter((id) => tasks.has(id) && matches(tasks.get(id) ?? submitted(0), filter)),
      [...tasks.values()]
        .filter((task) => (before === undefined || task.id < before) && matches(task, filter))
        .map(({ id }) => id)
        .sort()
        .toReversed()
    )
    return looked.length
  }
  /** Status and type are known of each task: only those that match are looked at. */
  const checkExactly = (filter: TaskFilter) => {
    const looked = check(filter)
    assert.strictEqual(looked, [...tasks.values()].filter((task) => matches(task, filter)).length)
  }
  /** Of a tag it is known which chunks have it. */
  const checkTag = (tag: string) => {
    const looked = check({ tag })
    assert.isAtMost(looked, 256 * [...tasks.values()].filter((task) => matches(task, { tag })).length)
  }
  return { add, change, check, checkExactly, checkTag, found, remove, tasks }
}

describe("AgeIndex", () => {
  it.effect.prop(
    "gives what a search of a plain list finds, in its order, whatever came, changed and went",
    [Steps],
    ([steps]) =>
      Effect.sync(() => {
        const { add, change, check, checkExactly, checkTag, remove } = tableOf()
        for (const step of steps) {
          switch (step._tag) {
            case "add":
              for (const n of range(step.count)) {
                const at = (step.from + n * step.stride) % 3100
                add(submitted(at, { type: step.type, tags: step.tags }))
              }
              break
            case "change":
              for (const n of range(step.count)) change(idOf(step.from + n * step.every), step.status)
              break
            case "remove":
              for (const n of range(step.count)) remove(idOf(step.from + n * step.every))
              break
            case "find": {
              const { status, tag, type } = step
              check(
                {
                  ...(status === null ? {} : { status }),
                  ...(type === null ? {} : { type }),
                  ...(tag === null ? {} : { tag })
                },
                step.before === null ? undefined : idOf(step.before)
              )
            }
          }
        }
        check({})
        for (const tag of Word.literals) checkTag(tag)
        for (const type of Word.literals) checkExactly({ type })
        for (const status of TaskStatus.literals) {
          checkExactly({ status })
          for (const type of Word.literals) checkExactly({ status, type })
        }
      }),
    { arbitrary: { runs: 300 }, timeout: 60_000 }
  )

  it("looks at few where few can match", () => {
    const { add, change, check, remove } = tableOf()
    for (const n of range(100_000)) {
      add(submitted(n, n % 10_000 === 5000 ? { type: "rare", tags: ["seldom"] } : { tags: ["often"] }))
      change(idOf(n), n % 25_000 === 5000 ? "FAILED" : "COMPLETED")
    }
    assert.strictEqual(check({ type: "rare" }), 10)
    assert.strictEqual(check({ status: "FAILED" }), 4)
    assert.isAtMost(check({ tag: "seldom" }), 10 * 256)
    assert.strictEqual(check({ status: "PENDING" }), 0)
    assert.strictEqual(check({ type: "rare", tag: "never" }), 0)
    // a status together with a type is looked for together
    change(idOf(5001), "PROCESSING")
    assert.strictEqual(check({ type: "rare", status: "PROCESSING" }), 0)
    // what came to an end is not looked for where it was
    for (const n of [5000, 30_000]) remove(idOf(n))
    assert.strictEqual(check({ status: "FAILED" }), 2)
  })

  it("knows a tag as long as one has it, and a type though every task has its own", () => {
    const { add, change, check, found, remove } = tableOf()
    for (const n of range(256)) add(submitted(n, { type: `type-${n}`, tags: ["all", "twice", "twice"] }))
    for (const status of TaskStatus.literals) {
      for (const n of range(256)) change(idOf(n), status)
      for (const n of range(256)) assert.strictEqual(check({ type: `type-${n}`, status }), 1)
    }
    for (const n of range(255)) remove(idOf(n))
    add(submitted(256))
    for (const tag of ["all", "twice"]) assert.strictEqual(check({ tag }), 2)
    remove(idOf(255))
    for (const tag of ["all", "twice"]) assert.deepStrictEqual(found({ tag }), [])
  })

  it("what is left of a long past does not stay spread out", () => {
    const { add, check, found, remove } = tableOf()
    for (const n of range(50_000)) add(submitted(n, { tags: n % 500 === 0 ? ["stays"] : [] }))
    for (const n of range(50_000)) if (n % 500 !== 0) remove(idOf(n))
    assert.strictEqual(check({ tag: "stays" }), 100)
    // those of one chunk come together: looking for one tells how many share it
    add(submitted(25_001, { tags: ["probe"] }))
    assert.isAtLeast(found({ tag: "probe" }).length, 8)
  })
})
