import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { DueQueue } from "../../../src/adapters/memory/DueQueue.ts"
import * as Line from "../../../src/adapters/memory/Line.ts"
import { type Flow, free } from "../../../src/domain/Flow.ts"
import type { TaskId, TaskRequest, VenomTask } from "../../../src/domain/Task.ts"
import { idOf, submitted } from "../../support/tasks.ts"
import { NaiveQueue } from "./NaiveQueue.ts"

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
const Type = Schema.Literals(["red", "green", "blue"])
const Key = Schema.Literals(["a", "b", "c"])

const AnyTask = Schema.Struct({
  type: Type,
  key: Schema.NullOr(Key),
  priority: Schema.Int.check(Schema.isBetween({ minimum: -1, maximum: 1 })),
  age: upTo(50)
})
const AnyTypeFlow = Schema.Struct({
  paused: Schema.optionalKey(Schema.Boolean),
  concurrency: Schema.optionalKey(upTo(3)),
  rate: Schema.optionalKey(
    Schema.Struct({ limit: Schema.Literals([1, 2, 5]), per: Schema.Literals([10, 100, "1 second"]) })
  )
})
const AnyFlow = Schema.Struct({
  paused: Schema.Literals([false, false, false, true]),
  concurrency: Schema.optionalKey(upTo(6)),
  types: Schema.Array(Schema.Tuple([Type, AnyTypeFlow])).check(Schema.isMaxLength(3)),
  keys: Schema.Array(Schema.Tuple([Key, upTo(2)])).check(Schema.isMaxLength(2)),
  eachKey: Schema.optionalKey(upTo(3))
})

const Step = Schema.Union([
  Schema.Struct({ _tag: Schema.tag("add"), tasks: Schema.Array(AnyTask).check(Schema.isMaxLength(12)) }),
  Schema.Struct({
    _tag: Schema.tag("take"),
    limit: upTo(6),
    elapsed: Schema.Int.check(Schema.isBetween({ minimum: -30, maximum: 120 })),
    /** Each task whose number it divides may not begin; none below two. */
    refused: upTo(7)
  }),
  Schema.Struct({ _tag: Schema.tag("end"), which: upTo(20), hasBegun: Schema.Boolean }),
  Schema.Struct({ _tag: Schema.tag("flow"), flow: AnyFlow }),
  Schema.Struct({ _tag: Schema.tag("types"), types: Schema.NullOr(Schema.Array(Type).check(Schema.isMaxLength(3))) }),
  Schema.Struct({ _tag: Schema.tag("drain") })
])
const Steps = Schema.Array(Step).check(Schema.isMaxLength(40))

const flowOf = ({ keys, types, ...rest }: typeof AnyFlow.Type): Flow => ({
  ...rest,
  types: Object.fromEntries(types),
  keys: Object.fromEntries(keys.map(([key, concurrency]) => [key, { concurrency }]))
})

const requestOf = ({ age, key, priority, type }: typeof AnyTask.Type): Partial<TaskRequest> => ({
  type,
  priority,
  runAt: 1000 - age,
  ...(key === null ? {} : { concurrencyKey: key })
})

const range = (count: number) => Array.from({ length: count }, (_, n) => n)
const always = () => true
const nothing = () => new Map()
const idsOf = (tasks: ReadonlyArray<VenomTask>): ReadonlyArray<TaskId> => tasks.map(({ id }) => id)

/** A queue of tasks that all are as they were. */
const queueOf = (tasks: ReadonlyArray<VenomTask>, flow: Flow = free) => {
  const queue = new DueQueue(always)
  queue.setFlow(flow, nothing)
  for (const task of tasks) queue.add(task)
  return queue
}

const keyed = (n: number, concurrencyKey: string, more: Partial<TaskRequest> = {}) =>
  submitted(n, { concurrencyKey, ...more })

describe("DueQueue", () => {
  it.prop(
    "takes what a search of a plain list finds, whatever came, began, ended and was held back",
    [Steps],
    ([steps]) => {
      const naive = new NaiveQueue()
      const queue = new DueQueue(always)
      let now = 10_000
      let made = 0
      for (const step of steps) {
        switch (step._tag) {
          case "add":
            for (const task of step.tasks) {
              const one = submitted(made++, requestOf(task))
              naive.add(one)
              queue.add(one)
            }
            break
          case "take": {
            now += step.elapsed
            const mayBegin = ({ id }: VenomTask) =>
              step.refused < 2 || Number.parseInt(id.slice(-6), 16) % step.refused > 0
            assert.deepStrictEqual(
              idsOf(queue.take(now, step.limit, mayBegin)),
              idsOf(naive.take(now, step.limit, mayBegin))
            )
            break
          }
          case "end": {
            const task = naive.running[step.which % Math.max(1, naive.running.length)]
            if (task === undefined) break
            naive.end(task, step.hasBegun)
            queue.end(task, step.hasBegun)
            if (step.hasBegun) break
            naive.add(task)
            queue.add(task)
            break
          }
          case "flow":
            naive.flow = flowOf(step.flow)
            queue.setFlow(
              naive.flow,
              (rates) => new Map(Array.from(rates.keys(), (type) => [type, naive.startsOf(type)]))
            )
            break
          case "types":
            naive.types = step.types === null ? undefined : new Set(step.types)
            queue.setTypes(naive.types)
            break
          case "drain": {
            const entries = queue.drain()
            assert.sameMembers([...idsOf(entries)], [...naive.ids()])
            assert.strictEqual(queue.size, 0)
            naive.due = []
            for (const task of entries) {
              naive.add(task)
              queue.add(task)
            }
          }
        }
        assert.strictEqual(queue.size, naive.due.length)
        const held = naive.flow.paused || naive.running.length >= (naive.flow.concurrency ?? Infinity)
        const isFree = !held && naive.due.some((task) => naive.isFree(task, now))
        assert.strictEqual(queue.nextStart() <= now, isFree, "something may begin now")
        for (const [type, { rate }] of Object.entries(naive.flow.types)) {
          if (rate === undefined || step._tag === "flow") continue
          assert.isAtMost(queue.running(submitted(0, { type })).runningOfType, naive.running.length)
        }
      }
    },
    { arbitrary: { runs: 3000 } }
  )

  it.effect.prop(
    "knows for each task how many come before it",
    [Schema.Array(AnyTask).check(Schema.isMaxLength(30)), upTo(20)],
    Effect.fnUntraced(function* ([tasks, already]) {
      const made = tasks.map((task, n) => submitted(n, requestOf(task)))
      const queue = queueOf(made)
      const begun = queue.take(2000, already, always)
      const waiting = made.filter((task) => !begun.includes(task))
      const told = new Map<TaskId, number>()
      for (const task of waiting) {
        told.set(task.id, yield* Line.before(task, queue.rivals(task, 2000), (entry) => queue.isWaiting(entry)))
      }
      for (const [place, { id }] of queue.take(2000, 100, always).entries()) assert.strictEqual(told.get(id), place)
    }),
    { arbitrary: { runs: 1000 } }
  )

  it("takes by priority, then by due time, then by age, where there are no keys", () => {
    const tasks = [
      submitted(5, { priority: 1 }),
      submitted(4, { runAt: 9 }),
      submitted(3, { runAt: 8, type: "other" }),
      submitted(2, { runAt: 9, type: "named" }),
      submitted(1, { priority: -100, runAt: 10 })
    ]
    const queue = queueOf(tasks, { ...free, types: { named: { concurrency: 5 } } })
    assert.deepStrictEqual(idsOf(queue.take(10, 9, always)), [1, 3, 2, 4, 5].map(idOf))
  })

  it("a key with 10,000 waiting tasks delays one with a single task by one attempt at most", () => {
    const queue = queueOf(range(10_000).map((n) => keyed(n, "large")))
    assert.strictEqual(queue.take(0, 500, always).length, 500)
    queue.add(keyed(20_000, "small"))
    assert.include(idsOf(queue.take(0, 2, always)), idOf(20_000))
  })

  it("many keys that come one after the other keep one that was there waiting for one attempt each", () => {
    const queue = queueOf(range(100).map((n) => submitted(n)))
    let served = 0
    for (const n of range(100)) {
      queue.add(keyed(1000 + n, `key ${n}`))
      served += queue.take(0, 1, always).filter(({ concurrencyKey }) => concurrencyKey === undefined).length
    }
    // between two of its attempts come as many others as it has had: 0 + 1 + … + 13 of the hundred
    assert.strictEqual(served, 13)
  })

  it("a type that was paused for long does not come before all others for long", () => {
    const paused: Flow = { ...free, types: { email: { paused: true } } }
    const queue = queueOf(
      range(1000).flatMap((n) => [keyed(n, "a", { type: "email" }), keyed(2000 + n, "b")]),
      paused
    )
    assert.isTrue(queue.take(0, 500, always).every(({ type }) => type === "default"))
    queue.setFlow(free, nothing)
    const keys = queue.take(0, 20, always).map(({ concurrencyKey }) => concurrencyKey)
    assert.strictEqual(keys.filter((key) => key === "a").length, 10)
  })

  it("a pause, a limit of zero and a full concurrency leave nothing that will be due", () => {
    const flows: ReadonlyArray<Flow> = [
      { ...free, paused: true },
      { ...free, concurrency: 0 },
      { ...free, types: { default: { paused: true } } },
      { ...free, types: { default: { concurrency: 0 } } },
      { ...free, eachKey: 0 },
      { ...free, eachKey: 5, keys: { a: { concurrency: 0 } } }
    ]
    for (const flow of flows) {
      const queue = queueOf([keyed(1, "a")], flow)
      assert.deepStrictEqual(queue.take(0, 9, always), [])
      assert.strictEqual(queue.nextStart(), Infinity)
      queue.setFlow(free, nothing)
      assert.strictEqual(queue.nextStart(), 0)
      assert.deepStrictEqual(idsOf(queue.take(0, 9, always)), [idOf(1)])
    }
  })

  it("tasks of other types than those asked for leave nothing that will be due, and are there afterwards", () => {
    const flows: ReadonlyArray<Flow> = [free, { ...free, types: { default: { concurrency: 5 } } }]
    for (const flow of flows) {
      const queue = queueOf([submitted(1), submitted(2, { type: "mail" })], flow)
      queue.setTypes(new Set(["mail"]))
      assert.deepStrictEqual(idsOf(queue.take(0, 9, always)), [idOf(2)])
      queue.add(submitted(3))
      assert.deepStrictEqual(queue.take(0, 9, always), [])
      assert.strictEqual(queue.nextStart(), Infinity)
      queue.setTypes(undefined)
      assert.deepStrictEqual(idsOf(queue.take(0, 9, always)), [1, 3].map(idOf))
    }
  })

  it("a rate says when the next attempt may begin, and knows what began before it was set", () => {
    const queue = queueOf(range(4).map((n) => submitted(n)))
    queue.setFlow(
      { ...free, types: { default: { rate: { limit: 2, per: 100 } } } },
      () => new Map([["default", [{ id: idOf(9), at: 950 }]]])
    )
    assert.deepStrictEqual(idsOf(queue.take(1000, 9, always)), [idOf(0)])
    assert.strictEqual(queue.nextStart(), 1050)
    assert.strictEqual(queue.nextSlot("default"), 1050)
    assert.deepStrictEqual(queue.take(1049, 9, always), [])
    assert.deepStrictEqual(idsOf(queue.take(1050, 9, always)), [idOf(1)])
    assert.strictEqual(queue.nextStart(), 1100)
  })

  it("a start in the future holds back no longer than the rate says when the clock is right again", () => {
    const queue = queueOf([submitted(1)])
    queue.setFlow(
      { ...free, types: { default: { rate: { limit: 1, per: 100 } } } },
      () => new Map([["default", [{ id: idOf(9), at: 1e12 }]]])
    )
    assert.deepStrictEqual(queue.take(1000, 9, always), [])
    assert.strictEqual(queue.nextStart(), 1100)
  })

  it("counts what is running by type and key, also for a flow that comes later", () => {
    const tasks = range(3).map((n) => keyed(n, "a", { type: "email" }))
    const queue = queueOf([...tasks, keyed(3, "b")])
    queue.take(0, 3, always)
    assert.deepStrictEqual(queue.running(keyed(9, "a")), { running: 3, runningOfType: 1, runningOfKey: 2 })
    queue.setFlow({ ...free, types: { email: { concurrency: 2 } }, eachKey: 2 }, nothing)
    assert.deepStrictEqual(queue.take(0, 3, always), [])
    const [first, second] = tasks
    if (first === undefined || second === undefined) return assert.fail("they are there")
    queue.end(first, true)
    assert.deepStrictEqual(idsOf(queue.take(0, 3, always)), [idOf(2)])
    queue.begin(second)
    assert.strictEqual(queue.running(keyed(9, "a")).running, 3)
  })
})
