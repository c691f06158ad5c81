import { Cause, Clock, Effect } from "effect"
import { HttpRouter, HttpServerError, HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiError } from "effect/http-api"
import { problems } from "../api/Problem.ts"
import { Access } from "./Access.ts"
import * as Guard from "./Guard.ts"
import * as InputIssues from "../domain/InputIssues.ts"
import { plain, problem } from "./JsonResponse.ts"
import * as Routes from "./Routes.ts"
import { ServerSettings } from "./ServerSettings.ts"
import { isSlow, ServiceLog } from "./ServiceLog.ts"
import * as Waiting from "./Waiting.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/**
 * Stands around every route of the router: refuses what no route should see, and makes whatever ends
 * without an answer (no such route, a bad parameter, a bug, the end of the service) a problem document.
 */
export const layer = HttpRouter.middleware(
  Effect.gen(function* () {
    const log = yield* ServiceLog
    const guard = Guard.make(yield* ServerSettings)
    const access = yield* Access
    const clock = yield* Clock.Clock

    const noRoute = (request: Request): Response => {
      if (Routes.has(request.method, request.url)) {
        return problem(request, problems.invalidRequest, { detail: "A part of the path is too long" })
      }
      const allow = Routes.allowed(request.url)
      return allow.length === 0
        ? problem(request, plain(404, "Not Found"), { detail: "There is no such resource" })
        : problem(
            request,
            plain(405, "Method Not Allowed"),
            { detail: `${request.method} is not possible here; ${allow.join(", ")} are` },
            { allow: allow.join(", ") }
          )
    }

    const refuse = (request: Request): Response | undefined => {
      const { headers, method, url } = request
      const refused = guard(request) ?? access.refusal(request.source, method, Routes.needed(method, url), headers)
      if (refused !== undefined) return problem(request, refused.kind, { detail: refused.detail }, refused.headers)
      // what a route needs is known by the same table: nothing gets past it to a handler
      if (!Routes.has(method, url)) return noRoute(request)
      const { accept } = headers
      if (accept === undefined || accept === "*/*") return undefined
      const type = Routes.produces(method, url)
      return type === undefined || Guard.accepts(accept, type)
        ? undefined
        : problem(request, problems.notAcceptable, { detail: `This resource is ${type}` })
    }

    const invalid = (request: Request, error: HttpApiError.HttpApiSchemaError): Response => {
      const errors = InputIssues.inParameters(error.cause)
      return problem(request, problems.invalidRequest, { detail: InputIssues.summary(errors), errors })
    }

    const answer = (request: Request, cause: Cause.Cause<unknown>): Effect.Effect<Response> => {
      for (const reason of cause.reasons) {
        const error = reason._tag === "Fail" ? reason.error : reason._tag === "Die" ? reason.defect : undefined
        if (HttpServerResponse.isHttpServerResponse(error)) return Effect.succeed(error)
        if (HttpApiError.HttpApiSchemaError.is(error) && isOfRequest(error))
          return Effect.succeed(invalid(request, error))
        if (HttpServerError.isHttpServerError(error) && error.reason._tag === "RouteNotFound") {
          return Effect.succeed(noRoute(request))
        }
      }
      if (Cause.hasInterruptsOnly(cause)) {
        return Effect.succeed(
          problem(request, problems.unavailable, { detail: "The service is stopping" }, { "retry-after": "5" })
        )
      }
      return Effect.map(log.bug(request, cause), (error_id) =>
        problem(request, problems.bug, {
          detail: "Venom failed to answer. Its log has the cause under this error_id",
          error_id
        })
      )
    }

    return (route) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
        const refused = refuse(request)
        if (refused !== undefined) return Effect.succeed(refused)
        const begun = clock.currentTimeNanosUnsafe()
        return route.pipe(
          Effect.catchCause((cause) => (isHungUp(cause) ? Effect.failCause(cause) : answer(request, cause))),
          Effect.tap(() => {
            const millis = Number((clock.currentTimeNanosUnsafe() - begun) / 1_000_000n)
            const mayBeSlow = Guard.isHealth(request.url) || Waiting.secondsOf(request) !== undefined
            return isSlow(millis) && !mayBeSlow ? log.slow(request, millis) : Effect.void
          })
        )
      })
  }),
  { global: true }
)

const isOfRequest = ({ kind }: HttpApiError.HttpApiSchemaError): boolean =>
  kind !== "Body" && kind !== "ResponseHeaders"

/** Nobody is left to answer. */
const isHungUp = (cause: Cause.Cause<unknown>): boolean =>
  Cause.hasInterruptsOnly(cause) &&
  cause.reasons.some((reason) => reason.annotations.has(HttpServerError.ClientAbort.key))
