import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Scope } from "../domain/ApiKey.ts"
import * as Documented from "./Documented.ts"
import { answers as problem } from "./Problem.ts"

export const SessionRequest = Schema.Struct({
  key: Schema.String.check(Schema.isNonEmpty(), Schema.isMaxLength(1000)).annotate({ description: "An API key" })
}).annotate({ identifier: "SessionRequest" })
export type SessionRequest = typeof SessionRequest.Type

/** What whoever asks may do. */
export const Session = Schema.Struct({
  scope: Scope.annotate({ description: "`admin` where no key is needed" }),
  locked: Schema.Boolean.annotate({ description: "Whether the service needs a key at all" }),
  readOnly: Schema.Boolean.annotate({ description: "Whether nothing can be changed by HTTP, whatever the scope" }),
  environment: Schema.String.annotate({ description: "What people call this place, or empty" })
})
  .pipe(Schema.encodeKeys({ readOnly: "read_only" }))
  .annotate({ identifier: "Session" })
  .pipe(Schema.annotateEncoded({ identifier: "Session" }))
export type Session = typeof Session.Type

const reads = [problem.invalidRequest, problem.refusedOrigin, problem.notAcceptable] as const
const writes = [...reads, problem.contentTooLarge, problem.unsupportedMediaType] as const

const show = HttpApiEndpoint.get("show", "/session", {
  success: Session,
  error: [...reads, problem.unauthorized]
}).annotateMerge(OpenApi.annotations({ summary: "What may I do?" }))

const begin = HttpApiEndpoint.post("begin", "/session", {
  payload: SessionRequest,
  success: HttpApiSchema.NoContent,
  error: [...writes, problem.unauthorized]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Exchange a key for a session",
    description:
      "For browsers: a cookie that no script can read and no other site can send stands for the key, for 12 hours."
  })
)

const end = HttpApiEndpoint.delete("end", "/session", { success: HttpApiSchema.NoContent, error: reads }).annotateMerge(
  OpenApi.annotations({ summary: "End the session" })
)

export class SessionApi extends HttpApiGroup.make("session")
  .add(show)
  .add(begin)
  .add(end)
  .prefix("/api/v1")
  .annotateEndpoints(Documented.Needed, "none")
  .annotateMerge(OpenApi.annotations({ description: "Keys and sessions" })) {}
