import { Schema, SchemaTransformation, Struct } from "effect"
import { BackoffRequest } from "./Backoff.ts"
import * as IsoTime from "./IsoTime.ts"
import * as Span from "./Span.ts"
import * as Traceparent from "./Traceparent.ts"

/** A UUID, version 7, so that ids sort by creation (RFC 9562, section 5.7). */
export const TaskId = Schema.String.check(Schema.isUUID()).pipe(Schema.brand("TaskId"))
export type TaskId = typeof TaskId.Type

/** When an id was made, in milliseconds since 1970. */
export const timeOfId = (id: TaskId): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)

/** An id as somebody gives it: in capitals a UUID is the same (RFC 9562, section 4). */
export const GivenTaskId = Schema.String.check(Schema.isUUID()).pipe(
  Schema.decodeTo(TaskId, SchemaTransformation.toLowerCase())
)

/** Nothing else ever appears in `status`; why a task is there stands in other fields. */
export const TaskStatus = Schema.Literals(["PENDING", "PROCESSING", "COMPLETED", "FAILED"]).annotate({
  identifier: "TaskStatus",
  description: "PENDING waits, PROCESSING runs, COMPLETED has its result for good, FAILED has its failure",
  message: "Expected PENDING, PROCESSING, COMPLETED or FAILED"
})
export type TaskStatus = typeof TaskStatus.Type

const isoTime = /^(\d{4})-(\d{2})-(\d{2})T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/

const isTime = (text: string): boolean => {
  const [, year, month, day] = isoTime.exec(text) ?? []
  if (day === undefined || Number(day) > daysOf(Number(year), Number(month))) return false
  const millis = Date.parse(text)
  return millis >= IsoTime.earliest && millis <= IsoTime.latest
}

/** `Date` reads the 30th of February as the 2nd of March. */
const daysOf = (year: number, month: number): number => {
  const firstOfNext = new Date(0)
  firstOfNext.setUTCFullYear(year, month, 0)
  return firstOfNext.getUTCDate()
}

const IsoText = Schema.String.check(
  Schema.makeFilter<string>(
    (text) => (isTime(text) ? undefined : "Expected an ISO 8601 time with its zone, such as 2026-01-31T09:30:00.000Z"),
    { toJsonSchema: () => ({ format: "date-time" }) }
  )
).annotate({ description: "ISO 8601; Venom writes UTC with milliseconds" })

/**
 * A point in time: whole milliseconds since 1970 inside, ISO 8601 UTC on the wire.
 * A number, because a queue holds five of them for each of a million tasks.
 */
export const Instant = IsoText.pipe(
  Schema.decodeTo(
    Schema.Int.check(Schema.isBetween({ minimum: IsoTime.earliest, maximum: IsoTime.latest })),
    SchemaTransformation.transform({
      decode: (text) => Date.parse(text),
      encode: IsoTime.format
    })
  )
)
export type Instant = typeof Instant.Type

/** Why a task is FAILED. */
export const FailureReason = Schema.Literals(["error", "defect", "timeout", "cancelled", "crashed", "rejected"])
export type FailureReason = typeof FailureReason.Type

export const Failure = Schema.Struct({
  reason: FailureReason,
  message: Schema.String,
  data: Schema.optionalKey(Schema.Json).annotate({
    description: "The failure as the type of the task describes it; in words alone without"
  })
}).annotate({ identifier: "TaskFailure" })
export type Failure = typeof Failure.Type

/** How one attempt ended: `completed`, or the reason it did not. */
export const AttemptOutcome = Schema.Literals(["completed", ...FailureReason.literals])
export type AttemptOutcome = typeof AttemptOutcome.Type

/** One claim of a task and its end; all three nulls while it runs. */
export const TaskAttempt = Schema.Struct({
  attempt: Schema.Int,
  startedAt: Instant,
  finishedAt: Schema.NullOr(Instant),
  outcome: Schema.NullOr(AttemptOutcome),
  error: Schema.NullOr(Schema.String)
})
  .pipe(Schema.encodeKeys({ startedAt: "started_at", finishedAt: "finished_at" }))
  .annotate({ identifier: "TaskAttempt" })
  .pipe(Schema.annotateEncoded({ identifier: "TaskAttempt" }))
export type TaskAttempt = typeof TaskAttempt.Type

export const limits = {
  /** UTF-8 bytes of `content`. */
  contentBytes: 1024 * 1024,
  logLines: 200,
  logLineChars: 2000,
  /** What a failure has to say. */
  messageChars: 10_000,
  /** Of a failure's data, as JSON; what is longer is told in words alone. */
  failureDataChars: 65_536,
  failureDataLevels: 100,
  /** Of a progress message. */
  progressChars: 1000,
  /** Attempts kept in `attempts`, the newest. */
  attempts: 20,
  tags: 20,
  /** Tasks submitted at once. */
  bulk: 1000
} as const

export const TaskType = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/u, {
    message: "Expected 1 to 128 letters, digits or . _ : / -, the first a letter or digit"
  })
)
const Priority = Schema.Int.check(Schema.isBetween({ minimum: -100, maximum: 100 }))
const MaxAttempts = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))
const Tags = Schema.Array(Schema.String.check(Schema.isBetweenLength(1, 128))).check(Schema.isMaxLength(limits.tags))

export const ConcurrencyKey = Schema.String.check(Schema.isBetweenLength(1, 256))
const UniqueKey = Schema.String.check(Schema.isBetweenLength(1, 256))

/** How a task wants to be run. They stay as they were given, and are shown with the task. */
const wishes = {
  timeout: Schema.optionalKey(
    Span.between("1 millis", "365 days").annotate({ description: "How long one attempt may run" })
  ),
  backoff: Schema.optionalKey(BackoffRequest),
  deadline: Schema.optionalKey(
    Instant.pipe(Schema.annotateEncoded({ description: "What is not done by then is FAILED as `timeout`" }))
  ),
  concurrencyKey: Schema.optionalKey(
    ConcurrencyKey.annotate({
      description: "Tasks with the same key share a limit, and slots are shared fairly between keys"
    })
  ),
  uniqueKey: Schema.optionalKey(
    UniqueKey.annotate({
      description: "At most one unfinished task has it: a second submit answers with the first task"
    })
  ),
  retention: Schema.optionalKey(
    Span.between("0 millis", "36500 days").annotate({ description: "How long the task is kept after it has finished" })
  )
}
const wishKeys = { concurrencyKey: "concurrency_key", uniqueKey: "unique_key" } as const

/** The names of `wishes`, for those who copy them. */
export const wishNames = ["timeout", "backoff", "deadline", "concurrencyKey", "uniqueKey", "retention"] as const
export type Wishes = Partial<Pick<VenomTask, (typeof wishNames)[number]>>

const Content = Schema.String.check(
  Schema.makeFilter<string>(
    (text) => (isContent(text) ? undefined : `Expected at most ${limits.contentBytes} bytes of UTF-8`),
    { toJsonSchema: () => ({ maxLength: limits.contentBytes }) }
  )
).annotate({ description: "Kept exactly; at most 1 MiB of UTF-8" })

/** Whether a text is short enough for what a task is given, and for what comes of it. */
export function isContent(text: string): boolean {
  // no code unit takes more than three bytes: most are within the limit without counting
  return text.length * 3 <= limits.contentBytes || new TextEncoder().encode(text).length <= limits.contentBytes
}

const requested = {
  type: Schema.optionalKey(TaskType.annotate({ description: "Which handler; `default` without" })),
  priority: Schema.optionalKey(Priority.annotate({ description: "Lower runs first; 0 without" })),
  runAt: Schema.optionalKey(Instant.pipe(Schema.annotateEncoded({ description: "Not before this; at once without" }))),
  delay: Schema.optionalKey(
    Span.between("0 millis").annotate({ description: "In place of run_at: not before so much time has passed" })
  ),
  maxAttempts: Schema.optionalKey(MaxAttempts),
  tags: Schema.optionalKey(Tags),
  ...wishes
}
const requestedKeys = { runAt: "run_at", maxAttempts: "max_attempts", ...wishKeys } as const

const oneStart = Schema.makeFilter<{ readonly runAt?: Instant; readonly delay?: string | number }>(({ delay, runAt }) =>
  delay === undefined || runAt === undefined
    ? undefined
    : { path: ["delay"], issue: "Expected run_at or delay, not both" }
)

/** What a client asks for. Times on the wire are ISO 8601. */
export const TaskRequest = Schema.Struct({ content: Content, ...requested })
  .check(oneStart)
  .pipe(Schema.encodeKeys(requestedKeys))
  .annotate({ identifier: "TaskRequest" })
  .pipe(
    Schema.annotateEncoded({
      identifier: "TaskRequest",
      description: "What is to be done, and how",
      examples: [{ content: "hello" }]
    })
  )
export type TaskRequest = typeof TaskRequest.Type

/** A task to be made again and again; whoever makes it says when it runs. */
export const TaskTemplate = Schema.Struct({
  content: Content,
  ...Struct.omit(requested, ["runAt", "delay", "deadline"])
})
  .pipe(Schema.encodeKeys({ maxAttempts: "max_attempts", ...wishKeys }))
  .annotate({ identifier: "TaskTemplate" })
  .pipe(
    Schema.annotateEncoded({
      identifier: "TaskTemplate",
      description: "What is to be done each time, and how; as in TaskRequest, without times"
    })
  )
export type TaskTemplate = typeof TaskTemplate.Type

/** A task to be run again, as it was or with changes. Its key of uniqueness, time and deadline are not copied. */
export const TaskCopyRequest = Schema.Struct({
  copyOf: GivenTaskId,
  content: Schema.optionalKey(Content),
  ...requested
})
  .check(oneStart)
  .pipe(Schema.encodeKeys({ copyOf: "copy_of", ...requestedKeys }))
  .annotate({ identifier: "TaskCopyRequest" })
  .pipe(
    Schema.annotateEncoded({
      identifier: "TaskCopyRequest",
      description: "A task to be run again; what is given stands in place of what the task had"
    })
  )
export type TaskCopyRequest = typeof TaskCopyRequest.Type

/** How far an attempt has come, in its own words. */
export const Progress = Schema.Struct({
  percent: Schema.NullOr(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 100 }))),
  message: Schema.NullOr(Schema.String)
}).annotate({ identifier: "TaskProgress" })
export type Progress = typeof Progress.Type

export const CallbackState = Schema.Literals(["waiting", "owed", "delivered", "given_up"])

/** Whether somebody outside has been told of the end of a task. */
export const Callback = Schema.Struct({
  state: CallbackState.annotate({
    description: "waiting for the end of the task, owed from then on, delivered, or given_up after too many attempts"
  }),
  attempts: Schema.Int,
  lastError: Schema.NullOr(Schema.String),
  nextAt: Schema.NullOr(Instant).annotate({ description: "Not tried again before this, while it is owed" }),
  deliveredAt: Schema.NullOr(Instant)
})
  .pipe(Schema.encodeKeys({ lastError: "last_error", nextAt: "next_at", deliveredAt: "delivered_at" }))
  .annotate({ identifier: "TaskCallback" })
  .pipe(
    Schema.annotateEncoded({ identifier: "TaskCallback", description: "Whether the end of the task has been told" })
  )
export type Callback = typeof Callback.Type

/** A task: an immutable value; every change makes a new one with the next `revision`. */
export const VenomTask = Schema.Struct({
  id: TaskId,
  content: Schema.String,
  createdAt: Instant,
  status: TaskStatus,
  result: Schema.NullOr(Schema.String),
  logs: Schema.Array(Schema.String),
  logsDropped: Schema.Int.annotate({ description: "How many of the oldest log lines were dropped to keep 200" }),
  type: TaskType,
  priority: Priority.annotate({ description: "Lower runs first" }),
  runAt: Instant.pipe(Schema.annotateEncoded({ description: "Not before this" })),
  updatedAt: Instant,
  startedAt: Schema.NullOr(Instant),
  finishedAt: Schema.NullOr(Instant),
  attempt: Schema.Int.annotate({ description: "Counts claims; 0 is never claimed" }),
  maxAttempts: Schema.Int,
  attempts: Schema.Array(TaskAttempt).annotate({ description: "The last 20" }),
  failure: Schema.NullOr(Failure),
  tags: Schema.Array(Schema.String),
  ...wishes,
  traceparent: Schema.optionalKey(
    Schema.String.check(Schema.isPattern(Traceparent.pattern)).annotate({
      description: "The trace that the submit belonged to (W3C Trace Context)"
    })
  ),
  progress: Schema.NullOr(Progress),
  callback: Schema.optionalKey(Callback),
  revision: Schema.Int.annotate({ description: "Grows by one with every change" })
})
  .pipe(
    Schema.encodeKeys({
      createdAt: "created_at",
      logsDropped: "logs_dropped",
      runAt: "run_at",
      updatedAt: "updated_at",
      startedAt: "started_at",
      finishedAt: "finished_at",
      maxAttempts: "max_attempts",
      ...wishKeys
    })
  )
  .annotate({ identifier: "VenomTask" })
  .pipe(Schema.annotateEncoded({ identifier: "VenomTask", description: "A task as it is at this moment" }))
export type VenomTask = typeof VenomTask.Type

/** The answer to a submit: the task is durable when this is sent, and PENDING unless it was there before. */
export const TaskResponse = Schema.Struct({ taskId: TaskId, status: TaskStatus })
  .pipe(Schema.encodeKeys({ taskId: "task_id" }))
  .annotate({ identifier: "TaskResponse" })
  .pipe(
    Schema.annotateEncoded({
      identifier: "TaskResponse",
      description: "The task is durable; PENDING, unless it was there before"
    })
  )
export type TaskResponse = typeof TaskResponse.Type

/** COMPLETED is final; FAILED moves again only by a manual retry. */
export const isFinished = (task: Pick<VenomTask, "status">): boolean =>
  task.status === "COMPLETED" || task.status === "FAILED"
