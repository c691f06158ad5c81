import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as AttemptLine from "../../src/domain/AttemptLine.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { FailureReason, limits } from "../../src/domain/Task.ts"
import { after, submitted } from "../support/tasks.ts"

const newest = (transition: Lifecycle.Transition) =>
  Result.getOrThrow(transition(after(submitted(1), Lifecycle.claim(5)))).logs.at(-1) ?? ""

const Words = Schema.String.check(Schema.isPattern(/^[^\n\v\f\r\u0085\u2028\u2029]*$/), Schema.isMaxLength(200))

describe("AttemptLine", () => {
  it.prop("reads why an attempt failed that another one follows", [FailureReason, Words], ([reason, message]) => {
    const line = newest(Lifecycle.retry(reason, message, 1500, 1000))
    assert.deepStrictEqual(AttemptLine.failureIn(line), { reason, message })
    assert.strictEqual(AttemptLine.timeOf(line), 1000)
  })

  it("reads a message that was too long for the line as far as it goes", () => {
    const line = newest(Lifecycle.retry("error", "x".repeat(limits.logLineChars), 1500, 1000))
    assert.match(AttemptLine.failureIn(line)?.message ?? "", /^x{1900,}$/)
  })

  it("reads that the process died", () => {
    assert.strictEqual(AttemptLine.failureIn(newest(Lifecycle.rescue(3, 1000)))?.reason, "crashed")
  })

  it.each([
    Lifecycle.complete("attempt 1 failed (error): x; next one in 1 s", 1000),
    Lifecycle.release(1000),
    Lifecycle.cancel(1000),
    Lifecycle.log(["1970-01-01T00:00:01.000Z I say: attempt 1 failed (error): x; next one in 1 s"], 1000)
  ])("reads nothing into other lines", (transition) => {
    assert.isUndefined(AttemptLine.failureIn(newest(transition)))
  })
})
