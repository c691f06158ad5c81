import { Result } from "effect"
import * as IsoTime from "./IsoTime.ts"
import {
  AttemptOutcome,
  type Failure,
  FailureReason,
  type Instant,
  type TaskAttempt,
  type TaskId,
  TaskStatus,
  type VenomTask
} from "./Task.ts"

/** A task as JSON has it: the encoded side of the `VenomTask` schema, which describes it. */
export type TaskWire = typeof VenomTask.Encoded
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
  revision: task.revision
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
  `,"status":"${task.status}","result":${JSON.stringify(task.result)},"logs":${JSON.stringify(task.logs)}` +
  `,"logs_dropped":${task.logsDropped},"type":${JSON.stringify(task.type)},"priority":${task.priority}` +
  `,"run_at":"${IsoTime.format(task.runAt)}","updated_at":"${IsoTime.format(task.updatedAt)}"` +
  `,"started_at":${timeToJson(task.startedAt)},"finished_at":${timeToJson(task.finishedAt)}` +
  `,"attempt":${task.attempt},"max_attempts":${task.maxAttempts},"attempts":${attemptsToJson(task.attempts)}` +
  `,"failure":${JSON.stringify(task.failure)},"tags":${JSON.stringify(task.tags)},"revision":${task.revision}}`

export const attemptsToJson = (attempts: ReadonlyArray<TaskAttempt>): string => {
  let text = ""
  for (const { attempt, error, finishedAt, outcome, startedAt } of attempts) {
    text +=
      `${text === "" ? "" : ","}{"attempt":${attempt},"started_at":"${IsoTime.format(startedAt)}"` +
      `,"finished_at":${timeToJson(finishedAt)},"outcome":${JSON.stringify(outcome)},"error":${JSON.stringify(error)}}`
  }
  return `[${text}]`
}

export const timeToJson = (instant: Instant | null): string =>
  instant === null ? "null" : `"${IsoTime.format(instant)}"`

/**
 * Reads a record that Venom wrote: the shape of every field is looked at, so that what comes out is a task,
 * but the limits set for requests are not enforced again. Fails with the name of
 * the first field that is wrong. Unknown fields are left out.
 */
export const fromWire = (input: unknown): Result.Result<VenomTask, string> => {
  if (!isRecord(input)) return Result.fail("the whole: it is no object")
  const { id, content, status, result, logs, type, priority, attempt, tags, revision } = input
  const createdAt = timeFromWire(input["created_at"])
  const logsDropped = input["logs_dropped"]
  const runAt = timeFromWire(input["run_at"])
  const updatedAt = timeFromWire(input["updated_at"])
  const startedAt = nullOr(input["started_at"], timeFromWire)
  const finishedAt = nullOr(input["finished_at"], timeFromWire)
  const maxAttempts = input["max_attempts"]
  const attempts = listFromWire(input["attempts"], attemptFromWire)
  const failure = nullOr(input["failure"], failureFromWire)
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
    revision
  })
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

const failureFromWire = (input: unknown): Failure | undefined =>
  isRecord(input) && isReason(input["reason"]) && typeof input["message"] === "string"
    ? { reason: input["reason"], message: input["message"] }
    : undefined

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

const oneOf = <const A extends string>(literals: ReadonlyArray<A>) => {
  const known = new Set<unknown>(literals)
  return (input: unknown): input is A => known.has(input)
}
const isStatus = oneOf(TaskStatus.literals)
const isReason = oneOf(FailureReason.literals)
const isOutcome = oneOf(AttemptOutcome.literals)
