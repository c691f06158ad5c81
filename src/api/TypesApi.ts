import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { BackoffRequest } from "../domain/Backoff.ts"
import { TaskStatus } from "../domain/Task.ts"
import { reads } from "./Problem.ts"

const JsonSchema = Schema.NullOr(Schema.Record(Schema.String, Schema.Json))
const Span = Schema.Union([Schema.String, Schema.Finite])
const Counts = Schema.Record(TaskStatus, Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)))

const Defaults = Schema.Struct({
  priority: Schema.optionalKey(Schema.Int),
  maxAttempts: Schema.optionalKey(Schema.Int),
  timeout: Schema.optionalKey(Span),
  backoff: Schema.optionalKey(BackoffRequest),
  deadline: Schema.optionalKey(Span.annotate({ description: "Counts from the submit" })),
  retention: Schema.optionalKey(Span),
  tags: Schema.optionalKey(Schema.Array(Schema.String))
})
  .pipe(Schema.encodeKeys({ maxAttempts: "max_attempts" }))
  .annotate({ identifier: "TypeDefaults" })
  .pipe(Schema.annotateEncoded({ identifier: "TypeDefaults" }))

/** A type of tasks, as far as this service knows it. */
export const TypeInfo = Schema.Struct({
  name: Schema.String,
  handled: Schema.Boolean.annotate({ description: "Whether this service does its tasks; it holds them otherwise" }),
  payload: JsonSchema.annotate({
    description: "JSON Schema (2020-12) of what stands in content, as JSON text; null where it may be any text"
  }),
  success: JsonSchema.annotate({ description: "Likewise of what stands in result" }),
  failure: JsonSchema.annotate({ description: "JSON Schema of the data of a failure" }),
  defaults: Defaults.annotate({ description: "What a request is given where it says nothing" }),
  counts: Schema.NullOr(Counts).annotate({
    description: "Tasks of the type by status; null where there are too many types to tell"
  })
}).annotate({ identifier: "TypeInfo", description: "A type of tasks that this service knows or does" })
export type TypeInfo = typeof TypeInfo.Type

const list = HttpApiEndpoint.get("list", "/types", {
  success: Schema.Array(TypeInfo),
  error: reads
}).annotateMerge(
  OpenApi.annotations({
    summary: "List the types of tasks",
    description: "Those that are registered here and those that this service has work for, by name."
  })
)

export class TypesApi extends HttpApiGroup.make("types")
  .add(list)
  .prefix("/api/v1")
  .annotateMerge(OpenApi.annotations({ description: "See what tasks may be asked for" })) {}
