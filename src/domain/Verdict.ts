import { Cause, Duration, Exit, Formatter, Result, type Schema } from "effect"
import * as Backoff from "./Backoff.ts"
import * as IsoTime from "./IsoTime.ts"
import * as Lifecycle from "./Lifecycle.ts"
import { type FailureReason, type Instant, isContent, limits, type VenomTask } from "./Task.ts"
import type { AttemptTimeout, TaskFailure } from "./TaskError.ts"
import * as TaskLog from "./TaskLog.ts"

/** How an attempt ended. */
export type AttemptExit = Exit.Exit<string, TaskFailure | AttemptTimeout>

/** What a task has earned by an attempt: a value, before anything is written. */
export type Verdict =
  | { readonly _tag: "Complete"; readonly result: string }
  | { readonly _tag: "Retry"; readonly reason: FailureReason; readonly message: string; readonly runAt: Instant }
  | {
      readonly _tag: "Fail"
      readonly reason: FailureReason
      readonly message: string
      /** As the type of the task describes it. */
      readonly data?: Schema.Json
    }
  | { readonly _tag: "Release" }

export interface Circumstances {
  readonly backoff: Backoff.Backoff
  /** Uniform in [0, 1); spreads the backoff. */
  readonly chance: number
  readonly now: Instant
  /** Whether the attempt was told to stop: by a shutdown or a cancel, not by its timeout. */
  readonly stopped: boolean
}

/** The only place that reads a `Cause`. */
export const of = (
  exit: AttemptExit,
  claimed: VenomTask,
  { backoff, chance, now, stopped }: Circumstances
): Verdict => {
  if (Exit.isSuccess(exit)) {
    return isContent(exit.value)
      ? { _tag: "Complete", result: exit.value }
      : failed("error", `the result has more than ${limits.contentBytes} bytes of UTF-8, the most it may have`)
  }
  // whatever broke on the way out, the attempt did not get its chance
  if (stopped && Cause.hasInterrupts(exit.cause)) return { _tag: "Release" }
  const defect = Cause.findDefect(exit.cause)
  if (Result.isSuccess(defect)) return failed("defect", describe(defect.success))
  const error = Cause.findError(exit.cause)
  // a release would be claimed again at once, for ever
  if (Result.isFailure(error)) return failed("defect", "the runner interrupted itself")
  const failure = error.success
  const timedOut = failure._tag === "AttemptTimeout"
  const reason = timedOut ? "timeout" : failure.rejected === true ? "rejected" : "error"
  const message = timedOut ? `still running after ${Duration.format(failure.after)}` : failure.message
  const retryable = timedOut || (failure.retryable && failure.rejected !== true)
  const data = timedOut ? undefined : failure.data
  if (!retryable || claimed.attempt >= claimed.maxAttempts) return failed(reason, message, data)
  const wished = timedOut ? undefined : failure.retryAfter
  const policy = Backoff.requested(claimed.backoff, backoff)
  const wait =
    wished === undefined ? Backoff.delay(policy, claimed.attempt, chance) : Math.ceil(Duration.toMillis(wished))
  const runAt = Math.min(now + Math.max(wait, 0), IsoTime.latest)
  return claimed.deadline !== undefined && runAt >= claimed.deadline
    ? failed(reason, `${message}; no attempt is left before its deadline`, data)
    : { _tag: "Retry", reason, message: short(message), runAt }
}

const failed = (reason: FailureReason, message: string, data?: Schema.Json): Verdict => ({
  _tag: "Fail",
  reason,
  message: short(message),
  ...(data === undefined || !isSmall(data) ? {} : { data })
})

const isSmall = (data: Schema.Json): boolean =>
  isFlat(data, limits.failureDataLevels) && JSON.stringify(data).length <= limits.failureDataChars

/** Text of what is nested too deeply cannot be made. */
const isFlat = (data: Schema.Json, levels: number): boolean =>
  typeof data !== "object" ||
  data === null ||
  (levels > 0 && Object.values(data).every((part) => isFlat(part, levels - 1)))

const short = (message: string): string => TaskLog.cut(message, limits.messageChars)

/** A defect in words, whatever was thrown; its stack goes to the service's log alone. */
const describe = (defect: unknown): string => (typeof defect === "string" ? defect : Formatter.format(defect))

/** The change of the task that a verdict stands for. */
export const transition = (verdict: Verdict, now: Instant): Lifecycle.Transition => {
  switch (verdict._tag) {
    case "Complete":
      return Lifecycle.complete(verdict.result, now)
    case "Retry":
      return Lifecycle.retry(verdict.reason, verdict.message, verdict.runAt, now)
    case "Fail":
      return Lifecycle.fail(verdict.reason, verdict.message, now, verdict.data)
    case "Release":
      return Lifecycle.release(now)
  }
}
