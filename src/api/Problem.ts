import { Schema } from "effect"
import { HttpApiError } from "effect/http-api"
import { InputIssue } from "../domain/InputIssues.ts"
import { TaskId, TaskStatus } from "../domain/Task.ts"

/** Every problem that Venom has a name for (RFC 9457). Those without one are `about:blank` and their status. */
export const problems = {
  invalidRequest: { type: "urn:venom:problem:invalid-request", status: 400, title: "The request is not valid" },
  unauthorized: { type: "urn:venom:problem:unauthorized", status: 401, title: "A key is needed" },
  forbidden: { type: "urn:venom:problem:forbidden", status: 403, title: "The key does not allow this" },
  refusedOrigin: {
    type: "urn:venom:problem:refused-origin",
    status: 403,
    title: "The request comes from a foreign place"
  },
  taskNotFound: { type: "urn:venom:problem:task-not-found", status: 404, title: "There is no such task" },
  scheduleNotFound: {
    type: "urn:venom:problem:schedule-not-found",
    status: 404,
    title: "There is no such schedule"
  },
  notAcceptable: {
    type: "urn:venom:problem:not-acceptable",
    status: 406,
    title: "There is no answer in that media type"
  },
  illegalTransition: {
    type: "urn:venom:problem:illegal-transition",
    status: 409,
    title: "The state of the task forbids this"
  },
  unexpectedCount: {
    type: "urn:venom:problem:unexpected-count",
    status: 409,
    title: "Not as many tasks match as were expected"
  },
  idempotencyKeyReused: {
    type: "urn:venom:problem:idempotency-key-reused",
    status: 422,
    title: "The idempotency key was used for another request"
  },
  contentTooLarge: { type: "urn:venom:problem:content-too-large", status: 413, title: "The request is too large" },
  unsupportedMediaType: {
    type: "urn:venom:problem:unsupported-media-type",
    status: 415,
    title: "The body is not plain JSON"
  },
  tooManyRequests: { type: "urn:venom:problem:too-many-requests", status: 429, title: "The key asks for too much" },
  bug: { type: "urn:venom:problem:bug", status: 500, title: "Venom has a bug" },
  unavailable: { type: "urn:venom:problem:unavailable", status: 503, title: "Venom cannot do this now" }
} as const

const withIssues = { errors: Schema.optionalKey(Schema.Array(InputIssue)) }

export class InvalidRequest extends HttpApiError.Problem<InvalidRequest>()(
  "InvalidRequest",
  problems.invalidRequest,
  withIssues,
  { description: "Malformed JSON or UTF-8; a missing, wrong or unknown field or parameter. All of them are named" }
) {}

export class Unauthorized extends HttpApiError.Problem<Unauthorized>()(
  "Unauthorized",
  problems.unauthorized,
  {},
  { description: "There is no API key, or none that is known and in force" }
) {}

export class Forbidden extends HttpApiError.Problem<Forbidden>()(
  "Forbidden",
  problems.forbidden,
  {},
  { description: "The key has another scope, or the service is read-only" }
) {}

export class RefusedOrigin extends HttpApiError.Problem<RefusedOrigin>()(
  "RefusedOrigin",
  problems.refusedOrigin,
  {},
  { description: "The Host header names no place of this service, or a page of another origin tries to write" }
) {}

export class TaskNotFound extends HttpApiError.Problem<TaskNotFound>()(
  "TaskNotFound",
  problems.taskNotFound,
  { task_id: TaskId },
  { description: "No task has this id" }
) {}

export class ScheduleNotFound extends HttpApiError.Problem<ScheduleNotFound>()(
  "ScheduleNotFound",
  problems.scheduleNotFound,
  { schedule: Schema.String },
  { description: "No schedule has this name" }
) {}

export class IllegalTransition extends HttpApiError.Problem<IllegalTransition>()(
  "IllegalTransition",
  problems.illegalTransition,
  { task_id: TaskId, task_status: TaskStatus },
  { description: "The task is in a status that forbids it; nothing has happened" }
) {}

export class UnexpectedCount extends HttpApiError.Problem<UnexpectedCount>()(
  "UnexpectedCount",
  problems.unexpectedCount,
  { matched: Schema.Int },
  { description: "More or fewer tasks match than were expected; nothing has happened" }
) {}

export class IdempotencyKeyReused extends HttpApiError.Problem<IdempotencyKeyReused>()(
  "IdempotencyKeyReused",
  problems.idempotencyKeyReused,
  {},
  { description: "The idempotency key came with another request before; nothing has happened" }
) {}

export class NotAcceptable extends HttpApiError.Problem<NotAcceptable>()(
  "NotAcceptable",
  problems.notAcceptable,
  {},
  { description: "The Accept header leaves no media type that this resource has" }
) {}

export class ContentTooLarge extends HttpApiError.Problem<ContentTooLarge>()(
  "ContentTooLarge",
  problems.contentTooLarge,
  withIssues,
  { description: "The body, or the content in it, is over its limit" }
) {}

export class UnsupportedMediaType extends HttpApiError.Problem<UnsupportedMediaType>()(
  "UnsupportedMediaType",
  problems.unsupportedMediaType,
  {},
  { description: "The body is not application/json, not UTF-8, or compressed" }
) {}

export class TooManyRequests extends HttpApiError.Problem<TooManyRequests>()(
  "TooManyRequests",
  problems.tooManyRequests,
  {},
  { description: "The key has asked more often than it may; Retry-After says when to ask again" }
) {}

export class Bug extends HttpApiError.Problem<Bug>()(
  "Bug",
  problems.bug,
  { error_id: Schema.String.annotate({ description: "Stands in the log of the service, with the cause" }) },
  { description: "A fault of Venom; the log of the service has its cause" }
) {}

export class Unavailable extends HttpApiError.Problem<Unavailable>()(
  "Unavailable",
  problems.unavailable,
  {},
  { description: "Full, starting, shutting down, or storage is not writable; Retry-After says when to ask again" }
) {}

/** A problem under its own name in the OpenAPI document. */
const named = <S extends Schema.Top>(identifier: string, problem: S) =>
  problem.pipe(Schema.annotateEncoded({ identifier }))

/** The problems as endpoints declare them. */
export const answers = {
  invalidRequest: named("InvalidRequest", InvalidRequest),
  unauthorized: named("Unauthorized", Unauthorized),
  forbidden: named("Forbidden", Forbidden),
  refusedOrigin: named("RefusedOrigin", RefusedOrigin),
  taskNotFound: named("TaskNotFound", TaskNotFound),
  scheduleNotFound: named("ScheduleNotFound", ScheduleNotFound),
  illegalTransition: named("IllegalTransition", IllegalTransition),
  unexpectedCount: named("UnexpectedCount", UnexpectedCount),
  idempotencyKeyReused: named("IdempotencyKeyReused", IdempotencyKeyReused),
  notAcceptable: named("NotAcceptable", NotAcceptable),
  contentTooLarge: named("ContentTooLarge", ContentTooLarge),
  unsupportedMediaType: named("UnsupportedMediaType", UnsupportedMediaType),
  tooManyRequests: named("TooManyRequests", TooManyRequests),
  bug: named("Bug", Bug),
  unavailable: named("Unavailable", Unavailable)
}

/** Of every endpoint that may need a key. */
export const guarded = [
  answers.invalidRequest,
  answers.unauthorized,
  answers.tooManyRequests,
  answers.forbidden,
  answers.refusedOrigin,
  answers.notAcceptable,
  answers.bug
] as const

/** Of those that ask storage, */
export const reads = [...guarded, answers.unavailable] as const

/** and of those that take a body. */
export const writes = [...reads, answers.contentTooLarge, answers.unsupportedMediaType] as const
