import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TaskTable } from "../../../src/adapters/memory/TaskTable.ts"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import type { VenomTask } from "../../../src/domain/Task.ts"
import { after, idOf, submitted } from "../../support/tasks.ts"

const range = (count: number) => Array.from({ length: count }, (_, n) => n)
const collectGarbage = (): void => {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc")()
}

const always = () => true

const holding = (...tasks: ReadonlyArray<VenomTask>) => {
  const table = new TaskTable()
  for (const task of tasks) table.set(task)
  return table
}

const takeDue = (table: TaskTable, options: Parameters<TaskTable["takeDue"]>[0]) => {
  Effect.runSync(table.promote(options.now))
  return table.takeDue(options)
}

describe("TaskTable", () => {
  it("holds the newest state of each task, counted once", () => {
    const table = holding(submitted(1))
    table.set(after(submitted(1), Lifecycle.claim(0)))
    assert.strictEqual(table.get(idOf(1))?.status, "PROCESSING")
    assert.deepStrictEqual([table.size, table.unfinished], [1, 1])
    assert.deepStrictEqual(table.counts, { PENDING: 0, PROCESSING: 1, COMPLETED: 0, FAILED: 0 })
    assert.deepStrictEqual(table.snapshot(), [after(submitted(1), Lifecycle.claim(0))])
  })

  it("passes over a task that is not free, and gives it once it was put back", () => {
    const table = new TaskTable()
    for (const n of range(3)) table.set(submitted(n))
    assert.deepStrictEqual(
      takeDue(table, { now: 0, limit: 9, free: ({ id }) => id !== idOf(1) }).map(({ id }) => id),
      [idOf(0), idOf(2)]
    )
    assert.deepStrictEqual(takeDue(table, { now: 0, limit: 9, free: always }), [])
    table.putBack(idOf(1))
    assert.deepStrictEqual(
      takeDue(table, { now: 0, limit: 9, free: always }).map(({ id }) => id),
      [idOf(1)]
    )
  })

  it("a task put back while it was still there is given once", () => {
    const table = new TaskTable()
    for (const n of range(3)) table.set(submitted(n))
    for (const n of range(3)) table.putBack(idOf(n))
    assert.strictEqual(takeDue(table, { now: 0, limit: 9, free: always }).length, 3)
  })

  it("puts back nothing that is unknown or no longer PENDING", () => {
    const table = new TaskTable()
    table.set(after(submitted(1), Lifecycle.cancel(0)))
    table.putBack(idOf(1))
    table.putBack(idOf(2))
    assert.deepStrictEqual(takeDue(table, { now: 0, limit: 9, free: always }), [])
    assert.deepStrictEqual(table.nextDue(), Option.none())
  })

  it("a task that was waiting for its time and is cancelled is neither given nor due", () => {
    const table = new TaskTable()
    table.set(submitted(1, { runAt: 100 }))
    table.set(after(submitted(1, { runAt: 100 }), Lifecycle.cancel(0)))
    assert.deepStrictEqual(table.nextDue(), Option.none())
    assert.deepStrictEqual(takeDue(table, { now: 1000, limit: 9, free: always }), [])
  })

  it("knows the earliest due time also when the clock went back behind some that were due", () => {
    const table = new TaskTable()
    table.set(submitted(1, { runAt: 900 }))
    table.set(submitted(2, { runAt: 800 }))
    assert.strictEqual(takeDue(table, { now: 1000, limit: 1, free: always }).length, 1)
    table.set(submitted(3, { runAt: 600 }))
    assert.deepStrictEqual(table.nextDue(), Option.some(600))
  })

  it.effect("lets go of tasks that are gone: cancelled far from their time they do not pile up", () =>
    Effect.gen(function* () {
      const table = new TaskTable()
      const gone = range(5000).map((n) => {
        const task = submitted(n, { runAt: 1e12 })
        table.set(task)
        table.set(after(task, Lifecycle.cancel(0)))
        return new WeakRef(task)
      })
      // what a WeakRef was made of lives until the turn is over
      yield* Effect.promise(() => new Promise(setImmediate))
      collectGarbage()
      assert.isBelow(gone.filter((task) => task.deref() !== undefined).length, 2500)
      table.set(submitted(9999, { runAt: 5 }))
      assert.deepStrictEqual(table.nextDue(), Option.some(5))
    })
  )

  it("takes finished tasks in the order of their finishing, and those retried by hand no more", () => {
    const finished = range(5).map((n) => after(submitted(n), Lifecycle.cancel(100 - n)))
    const table = holding(...finished, submitted(9))
    table.set(after(submitted(3), Lifecycle.cancel(97), Lifecycle.retryByHand(200)))
    const retention = { COMPLETED: 0, FAILED: 0 }
    const taken = (now: number, tooMany: number) =>
      table.takeFinished({ now, retention, tooMany, limit: 9, free: always }).map(({ id }) => id)
    assert.deepStrictEqual(table.nextEnd(retention), Option.some(96))
    assert.deepStrictEqual(taken(98, 0), [idOf(4), idOf(2)])
    assert.deepStrictEqual(taken(0, 1), [idOf(1)])
    assert.deepStrictEqual(taken(1000, 0), [idOf(0)])
    assert.deepStrictEqual(table.nextEnd(retention), Option.none())
    for (const n of [4, 2]) table.putBack(idOf(n))
    table.delete(idOf(4))
    assert.deepStrictEqual(taken(1000, 0), [idOf(2)])
  })

  it("a finished task that is not free is passed over and not made up for; put back it is taken once", () => {
    const finished = range(4).map((n) => after(submitted(n), Lifecycle.cancel(n)))
    const table = holding(...finished)
    table.putBack(idOf(1))
    const take = (now: number, tooMany: number, free: (task: VenomTask) => boolean) =>
      table.takeFinished({ now, retention: { COMPLETED: 0, FAILED: 0 }, tooMany, limit: 9, free }).map(({ id }) => id)
    assert.deepStrictEqual(
      take(-1, 2, ({ id }) => id !== idOf(0)),
      [idOf(1)]
    )
    table.delete(idOf(1))
    for (const n of [0, 2]) table.putBack(idOf(n))
    assert.deepStrictEqual(take(1000, 0, always), [0, 2, 3].map(idOf))
  })

  it.effect("lets go of finished tasks that were retried by hand, again and again", () =>
    Effect.gen(function* () {
      const table = new TaskTable()
      let task = submitted(1)
      const gone = range(5000).map((n) => {
        const cancelled = after(task, Lifecycle.cancel(n))
        table.set(cancelled)
        task = after(cancelled, Lifecycle.retryByHand(n))
        table.set(task)
        return new WeakRef(cancelled)
      })
      yield* Effect.promise(() => new Promise(setImmediate))
      collectGarbage()
      assert.isBelow(gone.filter((task) => task.deref() !== undefined).length, 2500)
    })
  )

  it.effect("tasks that come in out of order find their place", () =>
    Effect.gen(function* () {
      const table = new TaskTable()
      const order = range(200).map((n) => (n * 73) % 200)
      for (const n of order) table.set(submitted(n))
      const { tasks } = yield* table.page({}, { limit: 500 })
      assert.deepStrictEqual(
        tasks.map(({ id }) => id),
        range(200).toReversed().map(idOf)
      )
    })
  )
})
