import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { VenomTask } from "../../src/domain/Task.ts"
import * as TaskJson from "../../src/domain/TaskJson.ts"
import { anyTask } from "../support/anyTask.ts"

const encode = Schema.encodeSync(VenomTask)
const decode = Schema.decodeUnknownSync(VenomTask)

const sample: VenomTask = {
  id: decode(wireOf("0198c0de-0000-7000-8000-000000000000")).id,
  content: "text with \u2028 and a lone \ud800",
  createdAt: 1,
  status: "FAILED",
  result: null,
  logs: ["1970-01-01T00:00:00.001Z submitted"],
  logsDropped: 0,
  type: "default",
  priority: -3,
  runAt: 2,
  updatedAt: 4,
  startedAt: 3,
  finishedAt: 4,
  attempt: 1,
  maxAttempts: 1,
  attempts: [{ attempt: 1, startedAt: 3, finishedAt: 4, outcome: "error", error: "no" }],
  failure: { reason: "error", message: "no" },
  tags: ["a"],
  timeout: "5 seconds",
  backoff: { kind: "linear", base: 100, cap: "1 minute", jitter: 0.5 },
  deadline: 5,
  concurrencyKey: "tenant",
  uniqueKey: "invoice",
  retention: 1000,
  progress: { percent: 12.5, message: null },
  revision: 3
}

function wireOf(id: string): TaskJson.TaskWire {
  const time = "1970-01-01T00:00:00.000Z"
  return {
    id,
    content: "",
    created_at: time,
    status: "PENDING",
    result: null,
    logs: [],
    logs_dropped: 0,
    type: "default",
    priority: 0,
    run_at: time,
    updated_at: time,
    started_at: null,
    finished_at: null,
    attempt: 0,
    max_attempts: 5,
    attempts: [],
    failure: null,
    tags: [],
    progress: null,
    revision: 1
  }
}

describe("TaskJson", () => {
  it.prop(
    "writes what the schema encodes, field by field in the same order",
    [anyTask],
    ([task]) => {
      const text = JSON.stringify(encode(task))
      assert.strictEqual(JSON.stringify(TaskJson.toWire(task)), text)
      assert.strictEqual(TaskJson.toJson(task), text)
    },
    { arbitrary: { runs: 300 } }
  )

  it.prop(
    "reads what the schema decodes, through real JSON text",
    [anyTask],
    ([task]) => {
      const parsed: unknown = JSON.parse(JSON.stringify(TaskJson.toWire(task)))
      const read = TaskJson.fromWire(parsed)
      assert.deepStrictEqual(read, Result.succeed(decode(parsed)))
    },
    { arbitrary: { runs: 300 } }
  )

  it("keeps line separators and lone surrogates", () => {
    const text = JSON.stringify(TaskJson.toWire(sample))
    assert.deepStrictEqual(TaskJson.fromWire(JSON.parse(text)), Result.succeed(sample))
  })

  it("names the field that is missing, null or of another type, whichever it is", () => {
    const wire = TaskJson.toWire(sample)
    const nullable = new Set(["result", "started_at", "finished_at", "failure", "progress"])
    const spans = new Set(["timeout", "retention"])
    // progress was not written once
    const mayBeMissing = new Set([...spans, "backoff", "deadline", "concurrency_key", "unique_key", "progress"])
    for (const field of Object.keys(wire)) {
      const { [field]: _, ...without } = Object.fromEntries(Object.entries(wire))
      if (!mayBeMissing.has(field)) assert.deepStrictEqual(TaskJson.fromWire(without), Result.fail(field))
      if (field !== "backoff") {
        assert.deepStrictEqual(TaskJson.fromWire({ ...wire, [field]: {} }), Result.fail(field))
      }
      assert.deepStrictEqual(TaskJson.fromWire({ ...wire, [field]: [{}] }), Result.fail(field))
      if (!spans.has(field)) {
        assert.deepStrictEqual(TaskJson.fromWire({ ...wire, [field]: 0.5 }), Result.fail(field))
      }
      assert.strictEqual(Result.isSuccess(TaskJson.fromWire({ ...wire, [field]: null })), nullable.has(field), field)
    }
    for (const input of [null, undefined, "", 1, []]) assert.isTrue(Result.isFailure(TaskJson.fromWire(input)))
  })

  it("looks into attempts and the failure too", () => {
    const wire = TaskJson.toWire(sample)
    const attempt = { attempt: 1, started_at: wire.created_at, finished_at: null, outcome: null, error: null }
    assert.isTrue(Result.isSuccess(TaskJson.fromWire({ ...wire, attempts: [attempt] })))
    for (const wrong of [
      { attempt: "1" },
      { started_at: null },
      { finished_at: "soon" },
      { outcome: "FAILED" },
      { error: 1 }
    ]) {
      assert.deepStrictEqual(
        TaskJson.fromWire({ ...wire, attempts: [{ ...attempt, ...wrong }] }),
        Result.fail("attempts")
      )
    }
    assert.deepStrictEqual(
      TaskJson.fromWire({ ...wire, failure: { reason: "bad", message: "" } }),
      Result.fail("failure")
    )
    assert.deepStrictEqual(TaskJson.fromWire({ ...wire, failure: { reason: "error" } }), Result.fail("failure"))
  })
})
