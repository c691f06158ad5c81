import { Effect, Result, Schema } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { problems } from "../api/Problem.ts"
import { Session, SessionRequest } from "../api/SessionApi.ts"
import { VenomApi } from "../api/VenomApi.ts"
import { ApiKeys } from "../ports/ApiKeys.ts"
import { Access, challenge } from "./Access.ts"
import { headers as always, json, problem } from "./JsonResponse.ts"
import * as RequestBody from "./RequestBody.ts"
import { ServerSettings } from "./ServerSettings.ts"
import * as SurplusQuery from "./SurplusQuery.ts"

const decode = RequestBody.by(SessionRequest)
const toWire = Schema.encodeSync(Session)

/** A key has some dozens of characters. */
const mostBytes = 4096

const answer = (cookie: string) =>
  HttpServerResponse.empty({ status: 204, headers: { ...always, "set-cookie": cookie } })

/** What a browser needs that cannot keep a key. */
export const layer = HttpApiBuilder.group(
  VenomApi,
  "session",
  Effect.fnUntraced(function* (handlers) {
    const access = yield* Access
    const keys = yield* ApiKeys
    const { environment, readOnly } = yield* ServerSettings
    return handlers
      .handle(
        "show",
        Effect.fnUntraced(function* ({ request }) {
          const surplus = yield* SurplusQuery.refusal(request)
          if (surplus !== undefined) return surplus
          const scope = access.scopeOf(request.headers)
          return scope === undefined
            ? problem(request, problems.unauthorized, { detail: "This service needs an API key" }, challenge)
            : json(JSON.stringify(toWire({ scope, locked: keys.isLocked(), readOnly, environment })))
        })
      )
      .handleRaw(
        "begin",
        Effect.fnUntraced(function* ({ request }) {
          const surplus = yield* SurplusQuery.refusal(request)
          if (surplus !== undefined) return surplus
          const body = yield* Effect.result(RequestBody.read(request, mostBytes, decode))
          if (Result.isFailure(body)) return body.failure
          const cookie = access.begin(body.success.key, request.headers["x-forwarded-proto"] === "https")
          return cookie === undefined
            ? problem(request, problems.unauthorized, { detail: "No key in force is this one" }, challenge)
            : answer(cookie)
        })
      )
      .handle(
        "end",
        Effect.fnUntraced(function* ({ request }) {
          return (yield* SurplusQuery.refusal(request)) ?? answer(access.end(request.headers))
        })
      )
  })
)
