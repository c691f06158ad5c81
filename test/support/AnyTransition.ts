import { Schema } from "effect"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { FailureReason, type Instant } from "../../src/domain/Task.ts"
import * as TaskLog from "../../src/domain/TaskLog.ts"

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

/** A transition as data, so that a failing sequence shrinks to something readable. */
export const AnyTransition = Schema.Struct({
  name: Schema.Literals([
    "claim",
    "complete",
    "fail",
    "retry",
    "release",
    "rescue",
    "cancel",
    "retryByHand",
    "log",
    "claim and log",
    "log and complete"
  ]),
  reason: FailureReason,
  text: Schema.String,
  /** Of a failure. */
  data: Schema.NullOr(Schema.Struct({ code: upTo(9), text: Schema.String })),
  /** Lines of a `log`: some bursts are longer than the log. */
  lines: upTo(260),
  /** Lines lost before a `log`; more than none only beside a burst that fills the log. */
  lost: upTo(50),
  /** Milliseconds until a retry is due. */
  wait: upTo(10_000),
  crashLimit: upTo(25),
  /** How much later than the one before it happens; now and then the clock goes back. */
  elapsed: Schema.Int.check(Schema.isBetween({ minimum: -50, maximum: 5000 }))
})
export type AnyTransition = typeof AnyTransition.Type

export const AnyTransitions = Schema.Array(AnyTransition).check(Schema.isMaxLength(60))

export const linesOf = (step: AnyTransition, now: Instant): ReadonlyArray<string> =>
  Array.from({ length: step.lines }, (_, n) => TaskLog.line(now, `${n} ${step.text}`))

/** The transition that the data stands for, at a time. */
export const toTransition = (step: AnyTransition, now: Instant): Lifecycle.Transition => {
  const log = Lifecycle.log(linesOf(step, now), now, step.lost)
  switch (step.name) {
    case "claim":
      return Lifecycle.claim(now)
    case "complete":
      return Lifecycle.complete(step.text, now)
    case "fail":
      return Lifecycle.fail(step.reason, step.text, now, step.data ?? undefined)
    case "retry":
      return Lifecycle.retry(step.reason, step.text, now + step.wait, now)
    case "release":
      return Lifecycle.release(now)
    case "rescue":
      return Lifecycle.rescue(step.crashLimit, now)
    case "cancel":
      return Lifecycle.cancel(now)
    case "retryByHand":
      return Lifecycle.retryByHand(now)
    case "log":
      return log
    case "claim and log":
      return Lifecycle.andThen(Lifecycle.claim(now), log)
    case "log and complete":
      return Lifecycle.andThen(log, Lifecycle.complete(step.text, now))
  }
}
