import { Effect, Result, Schema } from "effect"
import type { HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { PauseRequest, QueueState } from "../api/QueueApi.ts"
import { VenomApi } from "../api/VenomApi.ts"
import { Limits } from "../domain/Flow.ts"
import { FlowControl } from "../engine/FlowControl.ts"
import type { StorageError } from "../ports/StorageError.ts"
import { json } from "./JsonResponse.ts"
import * as Refusal from "./Refusal.ts"
import * as RequestBody from "./RequestBody.ts"
import { ServerSettings } from "./ServerSettings.ts"
import { ServiceLog } from "./ServiceLog.ts"
import * as SurplusQuery from "./SurplusQuery.ts"

type Request = HttpServerRequest.HttpServerRequest

const decodePause = RequestBody.by(PauseRequest)
const decodeLimits = RequestBody.by(Limits)
const stateToWire = Schema.encodeSync(QueueState)
const limitsToWire = Schema.encodeSync(Limits)

const state = (queue: QueueState) => json(JSON.stringify(stateToWire(queue)))
const limits = (limits: Limits) => json(JSON.stringify(limitsToWire(limits)))

/** How the queue stands, and what holds it back. */
export const layer = HttpApiBuilder.group(
  VenomApi,
  "queue",
  Effect.fnUntraced(function* (handlers) {
    const flow = yield* FlowControl
    const { maxBody } = yield* ServerSettings
    const log = yield* ServiceLog

    const answered = Effect.fnUntraced(function* <B, A>(
      request: Request,
      body: Effect.Effect<B, HttpServerResponse.HttpServerResponse>,
      ask: (body: B) => Effect.Effect<A, StorageError>,
      answer: (done: A) => HttpServerResponse.HttpServerResponse
    ) {
      const surplus = yield* SurplusQuery.refusal(request)
      if (surplus !== undefined) return surplus
      const read = yield* Effect.result(body)
      if (Result.isFailure(read)) return read.failure
      return yield* Effect.catch(Effect.map(ask(read.success), answer), Refusal.respond(log, request))
    })

    const pauseBody = (request: Request) =>
      RequestBody.isThere(request) ? RequestBody.read(request, maxBody, decodePause) : Effect.succeed<PauseRequest>({})

    return handlers
      .handle("state", ({ request }) => answered(request, Effect.void, () => flow.state, state))
      .handleRaw(
        "pause",
        ({ request }) => answered(request, pauseBody(request), ({ type }) => flow.pause(type), state),
        {
          uninterruptible: true
        }
      )
      .handleRaw(
        "resume",
        ({ request }) => answered(request, pauseBody(request), ({ type }) => flow.resume(type), state),
        { uninterruptible: true }
      )
      .handle("limits", ({ request }) => answered(request, Effect.void, () => flow.limits, limits))
      .handleRaw(
        "setLimits",
        ({ request }) =>
          answered(
            request,
            RequestBody.read(request, maxBody, decodeLimits),
            (wished) => flow.setLimits(wished),
            limits
          ),
        { uninterruptible: true }
      )
  })
)
