import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import * as Documented from "./Documented.ts"
import { answers as problem } from "./Problem.ts"

export const Health = Schema.Struct({ status: Schema.Literal("ok") }).annotate({ identifier: "Health" })

export class HealthApi extends HttpApiGroup.make("health")
  .add(
    HttpApiEndpoint.get("live", "/live", {
      success: Health,
      error: problem.notAcceptable
    }).annotateMerge(OpenApi.annotations({ summary: "Does the service answer at all?" }))
  )
  .add(
    HttpApiEndpoint.get("ready", "/ready", {
      success: Health,
      error: [problem.unavailable, problem.notAcceptable, problem.bug]
    }).annotateMerge(OpenApi.annotations({ summary: "Would it take a task now? If not, why?" }))
  )
  .prefix("/health")
  .annotateEndpoints(Documented.Needed, "none")
  .annotateMerge(OpenApi.annotations({ description: "For probes: never authenticated, from any host name" })) {}
