import { assert, describe, it } from "@effect/vitest"
import { Cause, Duration, Effect, Exit, type Schema } from "effect"
import * as Backoff from "../../src/domain/Backoff.ts"
import * as IsoTime from "../../src/domain/IsoTime.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { limits, type VenomTask } from "../../src/domain/Task.ts"
import { AttemptTimeout, permanent, rejected, retryable, TaskFailure } from "../../src/domain/TaskError.ts"
import * as Verdict from "../../src/domain/Verdict.ts"
import { after, submitted } from "../support/tasks.ts"

const claimed = after(submitted(1), Lifecycle.claim(0))
const lastAttempt = after(submitted(1, { maxAttempts: 1 }), Lifecycle.claim(0))

const circumstances: Verdict.Circumstances = {
  backoff: { ...Backoff.standard, jitter: 0 },
  chance: 0.5,
  now: 1000,
  stopped: false
}

const of = (exit: Verdict.AttemptExit, task = claimed, stopped = false) =>
  Verdict.of(exit, task, { ...circumstances, stopped })

/** The verdict of causes that stand beside each other. */
const ofAll = (causes: ReadonlyArray<Cause.Cause<TaskFailure>>, stopped = false) =>
  of(Exit.failCause(causes.reduce((left, right) => Cause.combine(left, right))), claimed, stopped)

const failed = Cause.fail(retryable("no"))
const died = Cause.die(new TypeError("boom"))
const interrupted = Cause.interrupt(1)

describe("Verdict of one ending", () => {
  it("success completes with the result", () => {
    assert.deepStrictEqual(of(Exit.succeed("done")), { _tag: "Complete", result: "done" })
  })

  it("a result that is longer than it may be fails for good, and says so", () => {
    const bytes = (count: number) => of(Exit.succeed("ä".repeat(count / 2)))
    assert.strictEqual(bytes(limits.contentBytes)._tag, "Complete")
    assert.deepInclude(bytes(limits.contentBytes + 2), {
      _tag: "Fail",
      reason: "error",
      message: "the result has more than 1048576 bytes of UTF-8, the most it may have"
    })
  })

  it("a retryable failure is retried after its backoff", () => {
    assert.deepStrictEqual(of(Exit.failCause(failed)), { _tag: "Retry", reason: "error", message: "no", runAt: 2000 })
  })

  it("a failure that cannot be mended by another attempt fails at once", () => {
    assert.deepStrictEqual(of(Exit.fail(permanent("no"))), { _tag: "Fail", reason: "error", message: "no" })
  })

  it("what is rejected is not tried again, whatever is said besides", () => {
    const verdict: Verdict.Verdict = { _tag: "Fail", reason: "rejected", message: "no" }
    assert.deepStrictEqual(of(Exit.fail(rejected("no"))), verdict)
    assert.deepStrictEqual(of(Exit.fail(new TaskFailure({ message: "no", retryable: true, rejected: true }))), verdict)
  })

  it("what fails for good keeps its data, if that is not too much", () => {
    const dataOf = (data: Schema.Json, claimed?: VenomTask) => {
      const verdict = of(Exit.fail(new TaskFailure({ message: "no", retryable: claimed !== undefined, data })), claimed)
      return verdict._tag === "Fail" ? verdict.data : verdict._tag
    }
    const data = { code: 550, words: ["no", null] }
    assert.deepStrictEqual(dataOf(data), data)
    assert.deepStrictEqual(dataOf(data, lastAttempt), data)
    assert.strictEqual(dataOf("x".repeat(65_534)), "x".repeat(65_534))
    assert.strictEqual(dataOf("x".repeat(65_535)), undefined)
    const nested = (levels: number) => Array.from({ length: levels }).reduce<Schema.Json>((inner) => [inner], null)
    assert.deepStrictEqual(dataOf(nested(100)), nested(100))
    assert.strictEqual(dataOf(nested(101)), undefined)
    assert.strictEqual(dataOf(nested(100_000)), undefined)
  })

  it("a failure of the last attempt fails", () => {
    assert.deepStrictEqual(of(Exit.failCause(failed), lastAttempt), { _tag: "Fail", reason: "error", message: "no" })
  })

  it("the runner's wish for the next attempt stands in place of the backoff", () => {
    const verdict = of(Exit.fail(retryable("no", Duration.millis(333.2))))
    assert.deepStrictEqual(verdict, { _tag: "Retry", reason: "error", message: "no", runAt: 1334 })
  })

  it.each([Duration.infinity, Duration.days(1e9)])(
    "a wish beyond all calendars is the last of their days: %s",
    (wish) => {
      const verdict = of(Exit.fail(retryable("no", wish)))
      assert.strictEqual(verdict._tag === "Retry" ? verdict.runAt : undefined, IsoTime.latest)
    }
  )

  it("a wish for the past is now", () => {
    const verdict = of(Exit.fail(retryable("no", Duration.millis(-5))))
    assert.strictEqual(verdict._tag === "Retry" ? verdict.runAt : undefined, 1000)
  })

  it("a timeout is retried while attempts are left, then fails as a timeout", () => {
    const exit = Exit.fail(new AttemptTimeout({ after: Duration.minutes(15) }))
    const message = "still running after 15m"
    assert.deepStrictEqual(of(exit), { _tag: "Retry", reason: "timeout", message, runAt: 2000 })
    assert.deepStrictEqual(of(exit, lastAttempt), { _tag: "Fail", reason: "timeout", message })
  })

  it("a defect fails for good, however many attempts are left, and tells no stack", () => {
    assert.deepStrictEqual(of(Exit.failCause(died)), { _tag: "Fail", reason: "defect", message: "TypeError: boom" })
  })

  it("an interruption by a stop gives the task back", () => {
    assert.deepStrictEqual(ofAll([interrupted], true), { _tag: "Release" })
  })

  it("an interruption that nobody asked for is a defect: released, it would run again at once, for ever", () => {
    const verdict = ofAll([interrupted])
    assert.deepStrictEqual(verdict, { _tag: "Fail", reason: "defect", message: "the runner interrupted itself" })
  })

  const hostile = new Proxy(
    {},
    {
      get: () => {
        throw new Error("no")
      }
    }
  )
  const strange: ReadonlyArray<readonly [string, unknown]> = [
    ["a text", "boom"],
    ["nothing", undefined],
    ["null", null],
    ["a symbol", Symbol("boom")],
    ["a number", 1n],
    ["an object without a prototype", Object.create(null)],
    ["an object that throws when looked at", hostile]
  ]
  it.each(strange)("whatever is thrown has words: %s", (_, thrown) => {
    const verdict = of(Exit.die(thrown))
    assert.strictEqual(verdict._tag === "Fail" ? verdict.reason : undefined, "defect")
    assert.strictEqual(verdict._tag === "Fail" && verdict.message.length > 0, true)
  })

  it.each([Exit.fail(permanent("x".repeat(1e6))), Exit.fail(retryable("x".repeat(1e6))), Exit.die("x".repeat(1e6))])(
    "what a failure has to say is bounded",
    (exit) => {
      const verdict = of(exit)
      const message = verdict._tag === "Fail" || verdict._tag === "Retry" ? verdict.message : ""
      assert.strictEqual(message.length, limits.messageChars)
    }
  )
})

describe("Verdict of several endings at once", () => {
  it("a defect weighs more than a failure", () => {
    for (const causes of [
      [failed, died],
      [died, failed]
    ]) {
      const verdict = ofAll(causes)
      assert.deepStrictEqual(verdict, { _tag: "Fail", reason: "defect", message: "TypeError: boom" })
    }
  })

  it("a failure weighs more than an interruption that nobody asked for", () => {
    for (const causes of [
      [failed, interrupted],
      [interrupted, failed]
    ])
      assert.strictEqual(ofAll(causes)._tag, "Retry")
  })

  it("what breaks while a stop interrupts the attempt does not count against the task", () => {
    assert.strictEqual(ofAll([interrupted, died], true)._tag, "Release")
    assert.strictEqual(ofAll([interrupted, failed], true)._tag, "Release")
  })

  it("an ending from before the stop counts", () => {
    assert.strictEqual(ofAll([failed], true)._tag, "Retry")
    assert.strictEqual(ofAll([died], true)._tag, "Fail")
    assert.strictEqual(of(Exit.succeed("done"), claimed, true)._tag, "Complete")
  })

  it.effect("a defect in a finalizer is seen through the failure before it", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(Effect.ensuring(Effect.fail(retryable("no")), Effect.die(new Error("finalizer"))))
      const verdict = of(exit)
      assert.strictEqual(verdict._tag === "Fail" ? verdict.reason : undefined, "defect")
    })
  )
})

describe("Verdict as a change", () => {
  it.each([
    ["Complete", of(Exit.succeed("done")), "COMPLETED"],
    ["Retry", of(Exit.failCause(failed)), "PENDING"],
    ["Fail", of(Exit.failCause(died)), "FAILED"],
    ["Release", ofAll([interrupted], true), "PENDING"]
  ] as const)("%s", (_, verdict, status) => {
    assert.strictEqual(after(claimed, Verdict.transition(verdict, 1000)).status, status)
  })
})
