import { assert, describe, it } from "@effect/vitest"
import { Exit, Schema } from "effect"
import { Instant, isFinished, limits, TaskId, TaskRequest, TaskResponse, VenomTask } from "../../src/domain/Task.ts"
import { idOf, submitted } from "../support/tasks.ts"

const strictly = { onExcessProperty: "error" } as const
const accepts = (input: unknown) => Exit.isSuccess(Schema.decodeUnknownExit(TaskRequest)(input, strictly))

/** JSON knows no -0, so it is the texts that are compared. */
const roundTrip = <A, I>(schema: Schema.Codec<A, I>, value: A): void => {
  const wire: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(schema)(value)))
  const again = Schema.encodeSync(schema)(Schema.decodeUnknownSync(schema)(wire))
  assert.deepStrictEqual<unknown>(again, wire)
}

describe("TaskRequest", () => {
  it.prop("what it encodes it decodes to the same, through JSON", [TaskRequest], ([request]) => {
    roundTrip(TaskRequest, request)
  })

  it("speaks snake_case on the wire", () => {
    const request = { content: "x", run_at: "2026-01-31T09:30:00.000Z", max_attempts: 3 }
    const { maxAttempts, runAt } = Schema.decodeSync(TaskRequest)(request)
    assert.deepStrictEqual({ maxAttempts, runAt }, { maxAttempts: 3, runAt: Date.UTC(2026, 0, 31, 9, 30) })
    assert.isFalse(accepts({ content: "x", runAt: request.run_at }))
  })

  it("keeps content exactly, lone surrogates and line separators included", () => {
    const content = "a\u0000b\u2028c\ud800d\r\n"
    assert.strictEqual(Schema.decodeSync(TaskRequest)({ content }).content, content)
  })

  it.each([
    ["ASCII", "x", 1],
    ["letters of two bytes", "é", 2],
    ["letters of three bytes", "漢", 3],
    ["letters of four bytes", "😀", 4]
  ])("takes content of 1 MiB of UTF-8 and not a letter more: %s", (_, letter, bytes) => {
    const most = letter.repeat(Math.floor(limits.contentBytes / bytes))
    assert.isTrue(accepts({ content: most }))
    assert.isFalse(accepts({ content: most + letter }))
  })

  const limited: ReadonlyArray<readonly [string, unknown, boolean]> = [
    ["priority -100", { priority: -100 }, true],
    ["priority -101", { priority: -101 }, false],
    ["priority 100", { priority: 100 }, true],
    ["priority 101", { priority: 101 }, false],
    ["priority 0.5", { priority: 0.5 }, false],
    ["priority NaN", { priority: Number.NaN }, false],
    ["max_attempts 1", { max_attempts: 1 }, true],
    ["max_attempts 0", { max_attempts: 0 }, false],
    ["max_attempts 1000", { max_attempts: 1000 }, true],
    ["max_attempts 1001", { max_attempts: 1001 }, false],
    ["20 tags", { tags: Array.from({ length: 20 }, String) }, true],
    ["21 tags", { tags: Array.from({ length: 21 }, String) }, false],
    ["an empty tag", { tags: [""] }, false],
    ["a tag of 128 letters", { tags: ["x".repeat(128)] }, true],
    ["a tag of 129 letters", { tags: ["x".repeat(129)] }, false],
    ["a type", { type: "mail/send:v1.2-a_b" }, true],
    ["an empty type", { type: "" }, false],
    ["a type with a space", { type: "a b" }, false],
    ["a type with a newline at its end", { type: "a\n" }, false],
    ["a type that begins with a dot", { type: ".a" }, false],
    ["a type of 128 letters", { type: "x".repeat(128) }, true],
    ["a type of 129 letters", { type: "x".repeat(129) }, false],
    ["an unknown field", { colour: "red" }, false],
    ["null in an optional field", { priority: null }, false]
  ]
  it.each(limited)("%s: %o → %s", (_, part, accepted) => {
    assert.strictEqual(accepts(Object.assign({ content: "x" }, part)), accepted)
  })

  it.each([{}, { content: 1 }, { content: null }, null, [], "x"])("is not %o", (input) => {
    assert.isFalse(accepts(input))
  })
})

describe("Instant", () => {
  const decode = Schema.decodeUnknownExit(Instant)

  it.prop("every instant round-trips through its text", [Instant], ([instant]) => {
    const text = Schema.encodeSync(Instant)(instant)
    assert.match(text, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
    assert.deepStrictEqual(decode(text), Exit.succeed(instant + 0))
  })

  it.each([
    ["2026-01-31T09:30Z", Date.UTC(2026, 0, 31, 9, 30)],
    ["2026-01-31T09:30:00.123456789Z", Date.UTC(2026, 0, 31, 9, 30, 0, 123)],
    ["2026-01-31T09:30:00+02:00", Date.UTC(2026, 0, 31, 7, 30)],
    ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
    ["9999-12-31T23:59:59.999Z", Date.UTC(9999, 11, 31, 23, 59, 59, 999)]
  ])("reads %s", (text, instant) => {
    assert.deepStrictEqual(decode(text), Exit.succeed(instant))
  })

  it.each([
    "2026-01-31",
    "2026-01-31T09:30:00",
    "2026-02-30T00:00:00Z",
    "2025-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-01-31T25:00:00Z",
    "2026-01-31T09:30:00+99:99",
    "9999-12-31T23:59:59-12:00",
    "0000-01-01T00:00:00+12:00",
    "+010000-01-01T00:00:00Z",
    "tomorrow",
    "",
    1_769_851_800_000
  ])("refuses %s, so that every time Venom holds can be written and read again", (input) => {
    assert.isTrue(Exit.isFailure(decode(input)))
  })
})

describe("TaskId", () => {
  it.each(["", "x", "01980000-0000-7000-8000-00000000000", "01980000-0000-7000-8000-0000000000010"])(
    "is not %j",
    (input) => {
      assert.isTrue(Exit.isFailure(Schema.decodeExit(TaskId)(input)))
    }
  )

  it("is a UUID", () => {
    assert.strictEqual(Schema.decodeSync(TaskId)(idOf(1)), idOf(1))
  })
})

describe("VenomTask", () => {
  it.prop("what it encodes it decodes to the same, through JSON", [VenomTask], ([task]) => {
    roundTrip(VenomTask, task)
  })

  it("begins PENDING, with the defaults for what the request left out", () => {
    const { logs, ...task } = submitted(1, {}, 1000)
    assert.deepStrictEqual(logs, ["1970-01-01T00:00:01.000Z submitted"])
    assert.deepStrictEqual(task, {
      id: idOf(1),
      content: "task 1",
      createdAt: 1000,
      status: "PENDING",
      result: null,
      logsDropped: 0,
      type: "default",
      priority: 0,
      runAt: 1000,
      updatedAt: 1000,
      startedAt: null,
      finishedAt: null,
      attempt: 0,
      maxAttempts: 5,
      attempts: [],
      failure: null,
      tags: [],
      progress: null,
      revision: 1
    })
  })

  it("takes what the request names", () => {
    const request = { content: "x", type: "mail", priority: -7, runAt: 5000, maxAttempts: 2, tags: ["a", "b"] }
    const { content, maxAttempts, priority, runAt, tags, type } = submitted(1, request, 1000)
    assert.deepStrictEqual({ content, type, priority, runAt, maxAttempts, tags }, request)
  })

  it("is finished when COMPLETED or FAILED", () => {
    const finished = (["PENDING", "PROCESSING", "COMPLETED", "FAILED"] as const).filter((status) =>
      isFinished({ ...submitted(1), status })
    )
    assert.deepStrictEqual(finished, ["COMPLETED", "FAILED"])
  })

  it("is answered to a submit by its id and status", () => {
    const response = Schema.encodeSync(TaskResponse)({ taskId: idOf(1), status: "PENDING" })
    assert.deepStrictEqual<unknown>(response, { task_id: idOf(1), status: "PENDING" })
  })
})
