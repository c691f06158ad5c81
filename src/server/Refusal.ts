import { Effect } from "effect"
import type { HttpServerRequest, HttpServerResponse } from "effect/http"
import { problems } from "../api/Problem.ts"
import type { TaskNotFound } from "../domain/TaskError.ts"
import type { ServiceDraining } from "../engine/Draining.ts"
import type { QueueFull, StorageError, StorageFull } from "../ports/StateRepository.ts"
import { problem } from "./JsonResponse.ts"
import type { ServiceLog } from "./ServiceLog.ts"

type Expected = TaskNotFound | StorageError | QueueFull | StorageFull | ServiceDraining

/** Seconds after which it is worth asking again. */
const retryAfter = { StorageError: "1", QueueFull: "1", StorageFull: "1", ServiceDraining: "5" } as const

const detail = {
  StorageError: "Storage does not take the change, and it has not happened. The log of the service says more",
  QueueFull: "The queue holds as many unfinished tasks as it may",
  StorageFull: "There is too little disk space left for new tasks",
  ServiceDraining: "The service is shutting down and takes nothing in"
} as const

/** What the engine refuses, as the problem a client is told. What storage has to say stays in the log. */
export const respond =
  (log: ServiceLog["Service"], request: HttpServerRequest.HttpServerRequest) =>
  (error: Expected): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
    error._tag === "TaskNotFound"
      ? Effect.succeed(problem(request, problems.taskNotFound, { detail: error.message, task_id: error.taskId }))
      : Effect.as(
          log.refused(request, error),
          problem(
            request,
            problems.unavailable,
            { detail: detail[error._tag] },
            { "retry-after": retryAfter[error._tag] }
          )
        )
