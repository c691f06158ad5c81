import { Effect, Result } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { ActionRequest } from "../api/ActionsApi.ts"
import { VenomApi } from "../api/VenomApi.ts"
import type { VenomTask } from "../domain/Task.ts"
import type { IllegalTransition, TaskNotFound } from "../domain/TaskError.ts"
import { Orchestrator } from "../engine/Orchestrator.ts"
import type { QueueFull, StorageError } from "../ports/StorageError.ts"
import { headers, json } from "./JsonResponse.ts"
import * as Refusal from "./Refusal.ts"
import * as RequestBody from "./RequestBody.ts"
import { ServerSettings } from "./ServerSettings.ts"
import { ServiceLog } from "./ServiceLog.ts"
import * as SurplusQuery from "./SurplusQuery.ts"
import * as TaskAnswer from "./TaskAnswer.ts"
import * as TaskFilters from "./TaskFilters.ts"

type Request = HttpServerRequest.HttpServerRequest
type Bulk = Orchestrator["Service"]["cancelAll"]

const decodeAction = RequestBody.by(ActionRequest)

const changed = (task: VenomTask) => json(TaskAnswer.text(task), { headers: TaskAnswer.headers(task) })
const gone = () => HttpServerResponse.empty({ status: 204, headers })

/** What changes tasks that are there: one, or all that match. */
export const layer = HttpApiBuilder.group(
  VenomApi,
  "actions",
  Effect.fnUntraced(function* (handlers) {
    const orchestrator = yield* Orchestrator
    const { maxBody } = yield* ServerSettings
    const log = yield* ServiceLog

    const one = Effect.fnUntraced(function* <A>(
      request: Request,
      action: Effect.Effect<A, StorageError | QueueFull | TaskNotFound | IllegalTransition>,
      answer: (done: A) => HttpServerResponse.HttpServerResponse
    ) {
      const surplus = yield* SurplusQuery.refusal(request)
      if (surplus !== undefined) return surplus
      const body = yield* Effect.result(RequestBody.none(request, maxBody))
      if (Result.isFailure(body)) return body.failure
      return yield* Effect.catch(Effect.map(action, answer), Refusal.respond(log, request))
    })

    const all = Effect.fnUntraced(function* (request: Request, action: Bulk) {
      const surplus = yield* SurplusQuery.refusal(request)
      if (surplus !== undefined) return surplus
      const body = yield* Effect.result(RequestBody.read(request, maxBody, decodeAction))
      if (Result.isFailure(body)) return body.failure
      const { expected, tolerance } = body.success
      return yield* action(TaskFilters.of(body.success), {
        ...(expected === undefined ? {} : { expected }),
        ...(tolerance === undefined ? {} : { tolerance })
      }).pipe(
        Effect.map((outcome) => json(JSON.stringify(outcome))),
        Effect.catchTags({
          StorageError: (error) => Refusal.unavailable(log, request, error, stopped),
          UnexpectedCount: Refusal.respond(log, request)
        })
      )
    })

    return handlers
      .handleRaw("cancel", ({ params, request }) => one(request, orchestrator.cancel(params.id), changed))
      .handleRaw("retry", ({ params, request }) => one(request, orchestrator.retry(params.id), changed))
      .handleRaw("delete", ({ params, request }) => one(request, orchestrator.remove(params.id), gone))
      .handleRaw("cancelAll", ({ request }) => all(request, orchestrator.cancelAll))
      .handleRaw("retryAll", ({ request }) => all(request, orchestrator.retryAll))
      .handleRaw("deleteAll", ({ request }) => all(request, orchestrator.removeAll))
  })
)

const stopped = "Storage takes no changes now. Those of these tasks that were changed before stay so; ask again"
