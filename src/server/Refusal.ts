import { Effect } from "effect"
import type { HttpServerRequest, HttpServerResponse } from "effect/http"
import { problems } from "../api/Problem.ts"
import type { ScheduleNotFound } from "../domain/Schedule.ts"
import type { IdempotencyKeyReused, IllegalTransition, InvalidContent, TaskNotFound } from "../domain/TaskError.ts"
import type { UnexpectedCount } from "../engine/BulkActions.ts"
import type { ServiceDraining } from "../engine/Draining.ts"
import type { QueueFull, StorageError, StorageFull } from "../ports/StorageError.ts"
import { problem } from "./JsonResponse.ts"
import type { ServiceLog } from "./ServiceLog.ts"

type Unavailable = StorageError | QueueFull | StorageFull | ServiceDraining
type Expected =
  | Unavailable
  | TaskNotFound
  | ScheduleNotFound
  | IllegalTransition
  | InvalidContent
  | UnexpectedCount
  | IdempotencyKeyReused

/** Seconds after which it is worth asking again. */
const retryAfter = { StorageError: "1", QueueFull: "1", StorageFull: "1", ServiceDraining: "5" } as const

const detail = {
  StorageError: "Storage does not take the change, and it has not happened. The log of the service says more",
  StorageFull: "There is too little disk space left for new tasks",
  ServiceDraining: "The service is shutting down and takes nothing in"
} as const

/** What the engine refuses, as the problem a client is told. What storage has to say stays in the log. */
export const respond =
  (log: ServiceLog["Service"], request: HttpServerRequest.HttpServerRequest) =>
  (error: Expected): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
    const { message } = error
    switch (error._tag) {
      case "TaskNotFound":
        return Effect.succeed(problem(request, problems.taskNotFound, { detail: message, task_id: error.taskId }))
      case "ScheduleNotFound":
        return Effect.succeed(problem(request, problems.scheduleNotFound, { detail: message, schedule: error.name }))
      case "IllegalTransition":
        return Effect.succeed(
          problem(request, problems.illegalTransition, {
            detail: message,
            task_id: error.taskId,
            task_status: error.status
          })
        )
      case "InvalidContent":
        return Effect.succeed(problem(request, problems.invalidRequest, { detail: message, errors: error.issues }))
      case "UnexpectedCount":
        return Effect.succeed(problem(request, problems.unexpectedCount, { detail: message, matched: error.matched }))
      case "IdempotencyKeyReused":
        return Effect.succeed(problem(request, problems.idempotencyKeyReused, { detail: message }))
      default:
        return unavailable(
          log,
          request,
          error,
          error._tag === "QueueFull" ? `The queue holds as many ${error.of} as it may` : detail[error._tag]
        )
    }
  }

/** The same with words of its own. */
export const unavailable = (
  log: ServiceLog["Service"],
  request: HttpServerRequest.HttpServerRequest,
  error: Unavailable,
  detail: string
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.as(
    log.refused(request, error),
    problem(request, problems.unavailable, { detail }, { "retry-after": retryAfter[error._tag] })
  )
