import { Cause, Duration, Exit, Result } from "effect"
import * as Backoff from "./Backoff.ts"
import * as Lifecycle from "./Lifecycle.ts"
import type { FailureReason, Instant, VenomTask } from "./Task.ts"
import type { AttemptTimeout, TaskFailure } from "./TaskError.ts"

/** How an attempt ended. */
export type AttemptExit = Exit.Exit<string, TaskFailure | AttemptTimeout>

/** What a task has earned by an attempt: a value, before anything is written. */
export type Verdict =
  | { readonly _tag: "Complete"; readonly result: string }
  | { readonly _tag: "Retry"; readonly reason: FailureReason; readonly message: string; readonly runAt: Instant }
  | { readonly _tag: "Fail"; readonly reason: FailureReason; readonly message: string }
  | { readonly _tag: "Release" }

/** The only place that reads a `Cause`. `chance` is uniform in [0, 1) and spreads the backoff. */
export const of = (
  exit: AttemptExit,
  claimed: VenomTask,
  options: { readonly backoff: Backoff.Backoff; readonly chance: number; readonly now: Instant }
): Verdict => {
  if (Exit.isSuccess(exit)) return { _tag: "Complete", result: exit.value }
  const defect = Cause.findDefect(exit.cause)
  if (Result.isSuccess(defect)) return { _tag: "Fail", reason: "defect", message: describe(defect.success) }
  const error = Cause.findError(exit.cause)
  if (Result.isFailure(error)) return { _tag: "Release" }
  const failure = error.success
  const [reason, message] =
    failure._tag === "AttemptTimeout"
      ? (["timeout", `still running after ${Duration.format(failure.after)}`] as const)
      : (["error", failure.message] as const)
  const retryable = failure._tag === "AttemptTimeout" || failure.retryable
  if (!retryable || claimed.attempt >= claimed.maxAttempts) return { _tag: "Fail", reason, message }
  const wished = failure._tag === "TaskFailure" ? failure.retryAfter : undefined
  const wait =
    wished === undefined
      ? Backoff.delay(options.backoff, claimed.attempt, options.chance)
      : Math.ceil(Duration.toMillis(wished))
  return { _tag: "Retry", reason, message, runAt: options.now + wait }
}

/** The change of the task that a verdict stands for. */
export const transition = (verdict: Verdict, now: Instant): Lifecycle.Transition => {
  switch (verdict._tag) {
    case "Complete":
      return Lifecycle.complete(verdict.result, now)
    case "Retry":
      return Lifecycle.retry(verdict.reason, verdict.message, verdict.runAt, now)
    case "Fail":
      return Lifecycle.fail(verdict.reason, verdict.message, now)
    case "Release":
      return Lifecycle.release(now)
  }
}

/** Name and message of a defect; its stack goes to the service's log alone. */
const describe = (defect: unknown): string => (defect instanceof Error ? `${defect.name}: ${defect.message}` : String(defect))
