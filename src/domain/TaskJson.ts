import { Result, type Schema } from "effect"
import * as IsoTime from "./IsoTime.ts"
import type { BackoffRequest } from "./Backoff.ts"
import {
  AttemptOutcome,
  type Callback,
  CallbackState,
  type Failure,
  FailureReason,
  type Instant,
  type Progress,
  type TaskAttempt,
  type TaskId,
  TaskStatus,
  type VenomTask,
  type Wishes
} from "./Task.ts"

/** A task as JSON has it: the encoded side of the `VenomTask` schema, which describes it. */
export type TaskWire = typeof VenomTask.Encoded
type CallbackWire = typeof Callback.Encoded
export type AttemptWire = typeof TaskAttempt.Encoded

/**
 * What the schema encodes, in the same order of fields, by hand: for a store and for lists that hold a
 * million tasks. A property test holds this module to the schema.
 */
export const toWire = (task: VenomTask): TaskWire => ({
  id: task.id,
  content: task.content,
  created_at: IsoTime.format(task.createdAt),
  status: task.status,
  result: task.result,
  logs: task.logs,
  logs_dropped: task.logsDropped,
  type: task.type,
  priority: task.priority,
  run_at: IsoTime.format(task.runAt),
  updated_at: IsoTime.format(task.updatedAt),
  started_at: timeToWire(task.startedAt),
  finished_at: timeToWire(task.finishedAt),
  attempt: task.attempt,
  max_attempts: task.maxAttempts,
  attempts: task.attempts.map(attemptToWire),
  failure: task.failure,
  tags: task.tags,
  ...(task.timeout === undefined ? undefined : { timeout: task.timeout }),
  ...(task.backoff === undefined ? undefined : { backoff: task.backoff }),
  ...(task.deadline === undefined ? undefined : { deadline: IsoTime.format(task.deadline) }),
  ...(task.concurrencyKey === undefined ? undefined : { concurrency_key: task.concurrencyKey }),
  ...(task.uniqueKey === undefined ? undefined : { unique_key: task.uniqueKey }),
  ...(task.retention === undefined ? undefined : { retention: task.retention }),
  ...(task.traceparent === undefined ? undefined : { traceparent: task.traceparent }),
  progress: task.progress,
  ...(task.callback === undefined ? undefined : { callback: callbackToWire(task.callback) }),
  revision: task.revision
})

const callbackToWire = ({ attempts, deliveredAt, lastError, nextAt, state }: Callback): CallbackWire => ({
  state,
  attempts,
  last_error: lastError,
  next_at: timeToWire(nextAt),
  delivered_at: timeToWire(deliveredAt)
})

const attemptToWire = (attempt: TaskAttempt): AttemptWire => ({
  attempt: attempt.attempt,
  started_at: IsoTime.format(attempt.startedAt),
  finished_at: timeToWire(attempt.finishedAt),
  outcome: attempt.outcome,
  error: attempt.error
})

/**
 * The JSON text of `toWire(task)`, to the byte, in half the time: this is written for every submit, and for every
 * task of a dump.
 */
export const toJson = (task: VenomTask): string =>
  `{"id":"${task.id}","content":${JSON.stringify(task.content)},"created_at":"${IsoTime.format(task.createdAt)}"` +
  `,"status":"${task.status}","result":${textToJson(task.result)},"logs":${JSON.stringify(task.logs)}` +
  `,"logs_dropped":${task.logsDropped},"type":${typeToJson(task.type)},"priority":${task.priority}` +
  `,"run_at":"${IsoTime.format(task.runAt)}","updated_at":"${IsoTime.format(task.updatedAt)}"` +
  `,"started_at":${timeToJson(task.startedAt)},"finished_at":${timeToJson(task.finishedAt)}` +
  `,"attempt":${task.attempt},"max_attempts":${task.maxAttempts},"attempts":${attemptsToJson(task.attempts)}` +
  `,"failure":${task.failure === null ? "null" : JSON.stringify(task.failure)}` +
  `,"tags":${task.tags.length === 0 ? "[]" : JSON.stringify(task.tags)}${wishesToJson(task)}` +
  `,"progress":${task.progress === null ? "null" : JSON.stringify(task.progress)}` +
  `${task.callback === undefined ? "" : `,"callback":${callbackToJson(task.callback)}`},"revision":${task.revision}}`

/** `JSON.stringify` is slow to say what is known before: that there is none, and the type of the task before. */
export const textToJson = (text: string | null): string => (text === null ? "null" : JSON.stringify(text))

const lastType = { type: "", json: '""' }
const typeToJson = (type: string): string => {
  if (type !== lastType.type) {
    lastType.json = JSON.stringify(type)
    lastType.type = type
  }
  return lastType.json
}

const wishesToJson = (task: VenomTask): string => {
  let text = ""
  if (task.timeout !== undefined) text += `,"timeout":${JSON.stringify(task.timeout)}`
  if (task.backoff !== undefined) text += `,"backoff":${JSON.stringify(task.backoff)}`
  if (task.deadline !== undefined) text += `,"deadline":${timeToJson(task.deadline)}`
  if (task.concurrencyKey !== undefined) text += `,"concurrency_key":${JSON.stringify(task.concurrencyKey)}`
  if (task.uniqueKey !== undefined) text += `,"unique_key":${JSON.stringify(task.uniqueKey)}`
  if (task.retention !== undefined) text += `,"retention":${JSON.stringify(task.retention)}`
  if (task.traceparent !== undefined) text += `,"traceparent":${JSON.stringify(task.traceparent)}`
  return text
}

export const attemptsToJson = (attempts: ReadonlyArray<TaskAttempt>): string => {
  let text = ""
  for (const { attempt, error, finishedAt, outcome, startedAt } of attempts) {
    text +=
      `${text === "" ? "" : ","}{"attempt":${attempt},"started_at":"${IsoTime.format(startedAt)}"` +
      `,"finished_at":${timeToJson(finishedAt)},"outcome":${outcome === null ? "null" : `"${outcome}"`},"error":${textToJson(error)}}`
  }
  return `[${text}]`
}

export const callbackToJson = (callback: Callback): string => JSON.stringify(callbackToWire(callback))

export const timeToJson = (instant: Instant | null): string =>
  instant === null ? "null" : `"${IsoTime.format(instant)}"`

/**
 * Reads a record that Venom wrote: the shape of every field is looked at, so that what comes out is a task,
 * but the limits set for requests are not enforced again. Fails with the name of
 * the first field that is wrong. Unknown fields are left out.
 */
export const fromWire = (input: unknown): Result.Result<VenomTask, string> => {
  if (!isRecord(input)) return Result.fail("the whole: it is no object")
  const { id, content, status, result, logs, type, priority, attempt, tags, traceparent, revision } = input
  const createdAt = timeFromWire(input["created_at"])
  const logsDropped = input["logs_dropped"]
  const runAt = timeFromWire(input["run_at"])
  const updatedAt = timeFromWire(input["updated_at"])
  const startedAt = nullOr(input["started_at"], timeFromWire)
  const finishedAt = nullOr(input["finished_at"], timeFromWire)
  const maxAttempts = input["max_attempts"]
  const attempts = listFromWire(input["attempts"], attemptFromWire)
  const failure = nullOr(input["failure"], failureFromWire)
  const wishes = wishesFromWire(input)
  // a task that an older Venom wrote has none
  const progress = nullOr(input["progress"] ?? null, progressFromWire)
  const callback = input["callback"] === undefined ? undefined : callbackFromWire(input["callback"])
  if (!isTaskId(id)) return Result.fail("id")
  if (typeof content !== "string") return Result.fail("content")
  if (createdAt === undefined) return Result.fail("created_at")
  if (!isStatus(status)) return Result.fail("status")
  if (typeof result !== "string" && result !== null) return Result.fail("result")
  if (!isStrings(logs)) return Result.fail("logs")
  if (!isInt(logsDropped)) return Result.fail("logs_dropped")
  if (typeof type !== "string") return Result.fail("type")
  if (!isInt(priority)) return Result.fail("priority")
  if (runAt === undefined) return Result.fail("run_at")
  if (updatedAt === undefined) return Result.fail("updated_at")
  if (startedAt === undefined) return Result.fail("started_at")
  if (finishedAt === undefined) return Result.fail("finished_at")
  if (!isInt(attempt)) return Result.fail("attempt")
  if (!isInt(maxAttempts)) return Result.fail("max_attempts")
  if (attempts === undefined) return Result.fail("attempts")
  if (failure === undefined) return Result.fail("failure")
  if (!isStrings(tags)) return Result.fail("tags")
  if (typeof wishes === "string") return Result.fail(wishes)
  if (traceparent !== undefined && typeof traceparent !== "string") return Result.fail("traceparent")
  if (progress === undefined) return Result.fail("progress")
  if (input["callback"] !== undefined && callback === undefined) return Result.fail("callback")
  if (!isInt(revision)) return Result.fail("revision")
  return Result.succeed({
    id,
    content,
    createdAt,
    status,
    result,
    logs,
    logsDropped,
    type,
    priority,
    runAt,
    updatedAt,
    startedAt,
    finishedAt,
    attempt,
    maxAttempts,
    attempts,
    failure,
    tags,
    ...wishes,
    ...(traceparent === undefined ? undefined : { traceparent }),
    progress,
    ...(callback === undefined ? undefined : { callback }),
    revision
  })
}

const noWishes: Wishes = {}

/** The wishes, or the name of the one that is wrong. */
const wishesFromWire = (input: Readonly<Record<string, unknown>>): Wishes | string => {
  const { backoff, retention, timeout } = input
  const concurrencyKey = input["concurrency_key"]
  const uniqueKey = input["unique_key"]
  if ((backoff ?? concurrencyKey ?? input["deadline"] ?? retention ?? timeout ?? uniqueKey) === undefined)
    return noWishes
  const deadline = input["deadline"] === undefined ? undefined : timeFromWire(input["deadline"])
  if (timeout !== undefined && !isSpan(timeout)) return "timeout"
  if (backoff !== undefined && !isBackoff(backoff)) return "backoff"
  if (input["deadline"] !== undefined && deadline === undefined) return "deadline"
  if (concurrencyKey !== undefined && typeof concurrencyKey !== "string") return "concurrency_key"
  if (uniqueKey !== undefined && typeof uniqueKey !== "string") return "unique_key"
  if (retention !== undefined && !isSpan(retention)) return "retention"
  return {
    ...(timeout === undefined ? undefined : { timeout }),
    ...(backoff === undefined ? undefined : { backoff }),
    ...(deadline === undefined ? undefined : { deadline }),
    ...(concurrencyKey === undefined ? undefined : { concurrencyKey }),
    ...(uniqueKey === undefined ? undefined : { uniqueKey }),
    ...(retention === undefined ? undefined : { retention })
  }
}

const progressFromWire = (input: unknown): Progress | undefined =>
  isRecord(input) &&
  (input["percent"] === null || typeof input["percent"] === "number") &&
  (input["message"] === null || typeof input["message"] === "string")
    ? { percent: input["percent"], message: input["message"] }
    : undefined

const callbackFromWire = (input: unknown): Callback | undefined => {
  if (!isRecord(input)) return undefined
  const { attempts, state } = input
  const lastError = input["last_error"]
  const nextAt = nullOr(input["next_at"], timeFromWire)
  const deliveredAt = nullOr(input["delivered_at"], timeFromWire)
  return isCallbackState(state) &&
    isInt(attempts) &&
    (lastError === null || typeof lastError === "string") &&
    nextAt !== undefined &&
    deliveredAt !== undefined
    ? { state, attempts, lastError, nextAt, deliveredAt }
    : undefined
}

const attemptFromWire = (input: unknown): TaskAttempt | undefined => {
  if (!isRecord(input)) return undefined
  const { attempt, outcome, error } = input
  const startedAt = timeFromWire(input["started_at"])
  const finishedAt = nullOr(input["finished_at"], timeFromWire)
  return isInt(attempt) &&
    startedAt !== undefined &&
    finishedAt !== undefined &&
    (outcome === null || isOutcome(outcome)) &&
    (error === null || typeof error === "string")
    ? { attempt, startedAt, finishedAt, outcome, error }
    : undefined
}

const failureFromWire = (input: unknown): Failure | undefined => {
  if (!isRecord(input) || !isReason(input["reason"]) || typeof input["message"] !== "string") return undefined
  const { data, message, reason } = input
  return isJson(data) ? { reason, message, data } : { reason, message }
}

const timeToWire = (instant: Instant | null): string | null => (instant === null ? null : IsoTime.format(instant))

const timeFromWire = (input: unknown): Instant | undefined => {
  const instant = typeof input === "string" ? IsoTime.parse(input) : NaN
  return Number.isNaN(instant) ? undefined : instant
}

const nullOr = <A>(input: unknown, read: (input: unknown) => A | undefined): A | null | undefined =>
  input === null ? null : read(input)

const listFromWire = <A>(input: unknown, read: (input: unknown) => A | undefined): ReadonlyArray<A> | undefined => {
  if (!Array.isArray(input)) return undefined
  const list: Array<A> = []
  for (const item of input) {
    const value = read(item)
    if (value === undefined) return undefined
    list.push(value)
  }
  return list
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const isTaskId = (input: unknown): input is TaskId => typeof input === "string" && uuid.test(input)
const isRecord = (input: unknown): input is Readonly<Record<string, unknown>> =>
  typeof input === "object" && input !== null
const isInt = (input: unknown): input is number => Number.isSafeInteger(input)
const isStrings = (input: unknown): input is ReadonlyArray<string> =>
  Array.isArray(input) && input.every((item) => typeof item === "string")

const isSpan = (input: unknown): input is string | number => typeof input === "string" || typeof input === "number"
const isBackoff = (input: unknown): input is BackoffRequest =>
  isRecord(input) &&
  !Array.isArray(input) &&
  (input["kind"] === undefined || isKind(input["kind"])) &&
  (input["base"] === undefined || isSpan(input["base"])) &&
  (input["cap"] === undefined || isSpan(input["cap"])) &&
  (input["jitter"] === undefined || typeof input["jitter"] === "number")

const oneOf = <const A extends string>(literals: ReadonlyArray<A>) => {
  const known = new Set<unknown>(literals)
  return (input: unknown): input is A => known.has(input)
}
/** What was read from JSON text is JSON. */
const isJson = (input: unknown): input is Schema.Json => input !== undefined
const isKind = oneOf(["exponential", "linear", "fixed"])
const isCallbackState = oneOf(CallbackState.literals)
const isStatus = oneOf(TaskStatus.literals)
const isReason = oneOf(FailureReason.literals)
const isOutcome = oneOf(AttemptOutcome.literals)
