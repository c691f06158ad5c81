import { Duration, Schema } from "effect"
import { type Flow, limitOfKey, limitOfType } from "./Flow.ts"
import * as IsoTime from "./IsoTime.ts"
import * as Span from "./Span.ts"
import { type Instant, TaskId, TaskStatus, type VenomTask } from "./Task.ts"

/** Where a task stands among the others. */
export interface Standing {
  /** Due tasks that would be claimed before it; 0 exactly where it is the next. */
  readonly ahead: number
  /** Attempts running: in all, of its type, of its concurrency key. */
  readonly running: number
  readonly runningOfType: number
  readonly runningOfKey: number
  /** When the rate of its type lets the next attempt begin; none without a rate. */
  readonly nextSlot: Instant | null
  /** Attempts that all processes together may run at once, where several share what is to be done. */
  readonly slots?: number
}

/** All that decides whether a task is claimed at this moment. */
export interface Situation {
  readonly now: Instant
  readonly flow: Flow
  readonly standing: Standing
  /** The types that attempts can be made of here; all without. */
  readonly types?: ReadonlySet<string> | undefined
  /** Attempts this process may run at once, and those it runs. */
  readonly concurrency: number
  readonly runningHere: number
  /** What the service itself has to say: it is draining, storage is not writable. */
  readonly service: ReadonlyArray<string>
}

/** One thing that stands between a task and its end. */
export const Reason = Schema.Struct({
  code: Schema.Literals([
    "not_due",
    "waiting_for_retry",
    "deadline_passed",
    "paused",
    "type_paused",
    "no_handler",
    "type_limit",
    "key_limit",
    "queue_limit",
    "rate_limit",
    "no_free_slot",
    "tasks_ahead",
    "service",
    "running"
  ]),
  message: Schema.String
}).annotate({ identifier: "Reason" })
export type Reason = typeof Reason.Type

/** What is told about one task. */
export const Answer = Schema.Struct({
  taskId: TaskId,
  status: TaskStatus,
  reasons: Schema.Array(Reason).annotate({
    description: "Each by itself stands between the task and its end; none where it is done, or is claimed next"
  }),
  sentence: Schema.String.annotate({ description: "All of them, to be read" })
})
  .pipe(Schema.encodeKeys({ taskId: "task_id" }))
  .annotate({ identifier: "Why" })
  .pipe(Schema.annotateEncoded({ identifier: "Why", description: "Why a task is not running, or not done" }))
export type Answer = typeof Answer.Type

/**
 * Every reason why a task is not done. A PENDING task without one is claimed at the next step, and one with any is
 * not: a property test holds this to what is claimed.
 */
export const of = (task: VenomTask, situation: Situation): ReadonlyArray<Reason> => {
  switch (task.status) {
    case "PENDING":
      return pending(task, situation).flatMap(([holds, code, message]) => (holds ? [{ code, message: message() }] : []))
    case "PROCESSING":
      return [{ code: "running", message: running(task, situation.now) }]
    case "COMPLETED":
    case "FAILED":
      return []
  }
}

/** The reasons in one sentence; also where there are none. */
export const sentence = (task: VenomTask, reasons: ReadonlyArray<Reason>): string => {
  if (task.status === "COMPLETED") return `It was completed by attempt ${task.attempt}.`
  if (task.status === "FAILED") {
    return `It failed for good: ${task.failure === null ? "unknown" : `${task.failure.reason}, ${task.failure.message}`}.`
  }
  if (reasons.length === 0) return "Nothing stands in its way: it is the next to be claimed."
  const said = reasons.map(({ message }) => message).join("; ")
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}.`
}

type Line = readonly [holds: boolean, code: Reason["code"], message: () => string]

const pending = (task: VenomTask, situation: Situation): ReadonlyArray<Line> => {
  const { flow, now, service, standing, types } = situation
  const concurrency = standing.slots ?? situation.concurrency
  const runningHere = standing.slots === undefined ? situation.runningHere : standing.running
  const { concurrencyKey: key, deadline, runAt, type } = task
  const ofType = flow.types[type] ?? {}
  const keyLimit = key === undefined ? Number.POSITIVE_INFINITY : limitOfKey(flow, key)
  const typeLimit = limitOfType(flow, type)
  const last = task.attempts.at(-1)
  const isRetry = last !== undefined && last.outcome !== null && task.attempt > 0
  const whole = flow.concurrency ?? Number.POSITIVE_INFINITY
  return [
    [
      runAt > now && isRetry,
      "waiting_for_retry",
      () =>
        `attempt ${task.attempt + 1} of ${task.maxAttempts} comes after ${last?.outcome}${quoted(last?.error)}, in ${span(runAt - now)}`
    ],
    [runAt > now && !isRetry, "not_due", () => `not due until ${IsoTime.format(runAt)}, in ${span(runAt - now)}`],
    [
      deadline !== undefined && deadline <= now,
      "deadline_passed",
      () => `its deadline was ${IsoTime.format(deadline ?? now)}`
    ],
    [flow.paused, "paused", () => "the queue is paused"],
    [ofType.paused === true, "type_paused", () => `type ${type} is paused`],
    [types?.has(type) === false, "no_handler", () => `no handler for type ${type} here`],
    [
      ofType.paused !== true && standing.runningOfType >= typeLimit,
      "type_limit",
      () => `limit of type ${type} reached (${standing.runningOfType} of ${typeLimit})`
    ],
    [
      standing.runningOfKey >= keyLimit,
      "key_limit",
      () => `limit of key ${key} reached (${standing.runningOfKey} of ${keyLimit})`
    ],
    [standing.running >= whole, "queue_limit", () => `limit of the queue reached (${standing.running} of ${whole})`],
    [
      standing.nextSlot !== null && standing.nextSlot > now,
      "rate_limit",
      () => `rate of type ${type} reached${rateOf(ofType.rate)}, next slot in ${span((standing.nextSlot ?? now) - now)}`
    ],
    [
      runningHere >= concurrency,
      "no_free_slot",
      () => `all ${concurrency} slots of ${standing.slots === undefined ? "this process" : "all nodes"} are taken`
    ],
    [
      standing.ahead > 0,
      "tasks_ahead",
      () => `${standing.ahead.toLocaleString("en")} ${standing.ahead === 1 ? "task is" : "tasks are"} ahead of it`
    ],
    ...service.map((message): Line => [true, "service", () => message])
  ]
}

const running = ({ attempt, maxAttempts, progress, startedAt }: VenomTask, now: Instant): string => {
  const so =
    progress === null ? "" : `, ${progress.percent === null ? "" : `${progress.percent} % `}${progress.message ?? ""}`
  return `attempt ${attempt} of ${maxAttempts} has been running for ${span(now - (startedAt ?? now))}${so.trimEnd()}`
}

const rateOf = (rate: { readonly limit: number; readonly per: string | number } | undefined): string =>
  rate === undefined ? "" : ` (${rate.limit} in ${span(Span.millis(rate.per))})`

const quoted = (error: string | null | undefined): string =>
  error === null || error === undefined ? "" : ` (${error})`

const span = (millis: number): string => {
  const grain = millis < 10_000 ? 100 : 1000
  return Duration.format(Duration.millis(Math.max(0, Math.ceil(millis / grain)) * grain))
}
