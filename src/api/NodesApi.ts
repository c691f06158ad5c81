import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Instant } from "../domain/Task.ts"
import { reads } from "./Problem.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** A process that takes part in the queue. */
export const VenomNode = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  version: Schema.String,
  startedAt: Instant,
  expiresAt: Schema.NullOr(Instant).annotate({
    description: "It counts as dead from then on, unless it says something before; null where it is alone"
  }),
  alive: Schema.Boolean,
  leads: Schema.Boolean.annotate({ description: "Whether it does what one node does for all: schedules, deletion" }),
  concurrency: Count.annotate({ description: "Attempts it may run at once" }),
  running: Count.annotate({ description: "Attempts it runs" })
})
  .pipe(Schema.encodeKeys({ startedAt: "started_at", expiresAt: "expires_at" }))
  .annotate({ identifier: "VenomNode" })
  .pipe(Schema.annotateEncoded({ identifier: "VenomNode" }))

const list = HttpApiEndpoint.get("list", "/nodes", {
  success: Schema.Array(VenomNode),
  error: reads
}).annotateMerge(OpenApi.annotations({ summary: "Who is alive, and what runs where" }))

export class NodesApi extends HttpApiGroup.make("nodes")
  .add(list)
  .prefix("/api/v1")
  .annotateMerge(OpenApi.annotations({ description: "The processes that share the queue" })) {}
