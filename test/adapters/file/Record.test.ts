import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Option } from "effect"
import * as Record from "../../../src/adapters/file/Record.ts"
import * as Callback from "../../../src/domain/Callback.ts"
import type { VenomTask } from "../../../src/domain/Task.ts"
import { toJson } from "../../../src/domain/TaskJson.ts"
import { anyTask } from "../../support/anyTask.ts"

const read = (line: string) => Option.getOrThrow(Record.parse(Buffer.from(line).subarray(0, -1)))

/** One of the states of `last`: what a task was submitted with no change touches. */
const sameTask = (task: VenomTask, last: VenomTask): VenomTask => ({
  ...last,
  status: task.status,
  result: task.result,
  logs: task.logs,
  logsDropped: task.logsDropped,
  runAt: task.runAt,
  updatedAt: task.updatedAt,
  startedAt: task.startedAt,
  finishedAt: task.finishedAt,
  attempt: task.attempt,
  maxAttempts: task.maxAttempts,
  attempts: task.attempts,
  failure: task.failure,
  progress: task.progress,
  revision: task.revision,
  // whether there is one is told with the submit
  ...(last.callback === undefined ? {} : { callback: task.callback ?? Callback.waiting })
})

describe("Record", () => {
  it.prop(
    "new tasks come back as they were",
    [Arbitrary.array(anyTask, { maxLength: 3 })],
    ([tasks]) => {
      const line = Record.insert(7, tasks, [])
      const record = read(line)
      if (record._tag !== "Insert") return assert.fail("it tells of new tasks")
      assert.strictEqual(record.seq, 7)
      assert.deepStrictEqual(record.tasks.map(toJson), tasks.map(toJson))
      assert.strictEqual(line.indexOf("\n"), line.length - 1)
    },
    { arbitrary: { runs: 60 } }
  )

  it.prop(
    "a change leads to the state after it from each of the states before it",
    [anyTask, anyTask, anyTask, anyTask],
    ([first, second, third, last]) => {
      const before = [first, second, third].map((state) => sameTask(state, last))
      // neighbours often share the beginning of their log, and fields
      const grown: VenomTask = {
        ...last,
        logs: [...second.logs, ...last.logs],
        attempts: second.attempts,
        runAt: first.runAt
      }
      for (const after of [last, grown]) {
        for (let count = 1; count <= before.length; count++) {
          const states = before.slice(0, count)
          const record = read(Record.change(9, states, after))
          if (record._tag !== "Change") return assert.fail("it is a change")
          assert.strictEqual(record.id, after.id)
          for (const state of [...states, after])
            assert.strictEqual(toJson(Option.getOrThrow(Record.apply(state, record.set))), toJson(after))
        }
      }
    },
    { arbitrary: { runs: 60 } }
  )
})
