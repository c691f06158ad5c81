import { Effect } from "effect"
import { HttpServerRequest, type HttpServerResponse } from "effect/http"
import { problems } from "../api/Problem.ts"
import * as InputIssues from "../domain/InputIssues.ts"
import { problem } from "./JsonResponse.ts"

/** The answer to a query where none has a meaning. */
export const refusal = (
  request: HttpServerRequest.HttpServerRequest
): Effect.Effect<HttpServerResponse.HttpServerResponse | undefined, never, HttpServerRequest.ParsedSearchParams> =>
  Effect.map(HttpServerRequest.ParsedSearchParams, (query) => {
    const errors = Object.keys(query).map((path) => ({ path, message: "Unknown parameter" }))
    return errors.length === 0
      ? undefined
      : problem(request, problems.invalidRequest, { detail: InputIssues.summary(errors), errors })
  })
