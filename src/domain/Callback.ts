import { Duration, Result } from "effect"
import * as Backoff from "./Backoff.ts"
import type { Transition } from "./Lifecycle.ts"
import { type Callback, type Instant, isFinished, limits, type VenomTask } from "./Task.ts"
import { IllegalTransition } from "./TaskError.ts"
import * as TaskLog from "./TaskLog.ts"

/** Nothing is owed before the task has ended. */
export const waiting: Callback = { state: "waiting", attempts: 0, lastError: null, nextAt: null, deliveredAt: null }

/** From the end of the task on, by the same change. */
export const owed = (now: Instant): Callback => ({ ...waiting, state: "owed", nextAt: now })

export const isOwed = ({ callback }: Pick<VenomTask, "callback">): boolean => callback?.state === "owed"

export const isDue = ({ callback }: Pick<VenomTask, "callback">, now: Instant): boolean =>
  callback?.state === "owed" && callback.nextAt !== null && callback.nextAt <= now

/** 5 s, 10 s, 20 s … 1 h, each ± 20 %. */
const backoff: Backoff.Backoff = {
  kind: "exponential",
  base: Duration.seconds(5),
  cap: Duration.hours(1),
  jitter: 0.2
}

/** How long after the end of its task it is tried. */
export const triedFor = Duration.hours(24)

/** What came of one attempt at telling. */
export type Outcome =
  | { readonly _tag: "Delivered" }
  | {
      readonly _tag: "Failed"
      readonly message: string
      /** Whether another attempt may succeed. */
      readonly retryable: boolean
      /** Milliseconds that the receiver wishes for. */
      readonly retryAfter: number
    }

const next = (
  callback: Callback,
  ended: Instant,
  outcome: Outcome,
  { chance, now }: { readonly chance: number; readonly now: Instant }
): Callback => {
  const attempts = callback.attempts + 1
  if (outcome._tag === "Delivered") {
    return { state: "delivered", attempts, lastError: callback.lastError, nextAt: null, deliveredAt: now }
  }
  const lastError = TaskLog.cut(outcome.message, limits.progressChars)
  const last = ended + Duration.toMillis(triedFor)
  const wished = now + Math.max(Backoff.delay(backoff, attempts, chance), Math.ceil(outcome.retryAfter))
  // one more at the end, however late the receiver wishes for it
  const nextAt = Math.min(wished, last)
  const isOver = !outcome.retryable || now >= last
  return isOver
    ? { state: "given_up", attempts, lastError, nextAt: null, deliveredAt: null }
    : { state: "owed", attempts, lastError, nextAt, deliveredAt: null }
}

/** Holds an outcome to the end that was told: after a retry by hand it is about another one. `chance` as in a backoff. */
export const settle =
  (told: VenomTask, outcome: Outcome, at: { readonly chance: number; readonly now: Instant }): Transition =>
  (task) => {
    const { callback, finishedAt } = task
    if (callback?.state !== "owed" || !isFinished(task) || finishedAt === null || finishedAt !== told.finishedAt) {
      const transition = "settle a callback of another end"
      return Result.fail(new IllegalTransition({ taskId: task.id, transition, status: task.status }))
    }
    return Result.succeed({
      ...task,
      callback: next(callback, finishedAt, outcome, at),
      updatedAt: at.now,
      revision: task.revision + 1
    })
  }
