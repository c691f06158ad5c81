import { flow, Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { GivenTaskId, TaskStatus } from "../domain/Task.ts"
import * as Documented from "./Documented.ts"
import { answers as problem, reads } from "./Problem.ts"

const headers = {
  "last-event-id": Schema.optionalKey(
    Schema.String.annotate({ description: "The id of the last event that came: what came after it is told first" })
  )
}

const contentType = "text/event-stream"
const success = HttpApiSchema.StreamUint8Array({ contentType })

const asText = Documented.text(
  200,
  contentType,
  "Events of the kinds `status`, `log`, `progress` and `reset`; the data of each is one line of JSON"
)

const ofTask = HttpApiEndpoint.get("ofTask", "/tasks/:id/events", {
  params: { id: GivenTaskId },
  headers,
  success,
  error: [...reads, problem.taskNotFound]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Follow a task",
    description:
      "Begins with a `status` event of the task as it is, goes on with what happens to it, and ends after the event that tells it is final.",
    transform: flow(
      Documented.parameters(),
      asText,
      Documented.answers(204, "The final event has been told already, and nothing will come")
    )
  })
)

const all = HttpApiEndpoint.get("all", "/events", {
  headers,
  query: {
    status: Schema.optionalKey(TaskStatus.annotate({ description: "Of tasks that were then in this status" })),
    type: Schema.optionalKey(Schema.String.annotate({ description: "Of tasks of this type" })),
    tag: Schema.optionalKey(Schema.String.annotate({ description: "Of tasks with this tag" }))
  },
  success,
  error: reads
}).annotateMerge(
  OpenApi.annotations({
    summary: "Follow all tasks",
    description: "What happens to them from now on, in the order in which it became durable.",
    transform: flow(Documented.parameters(), asText)
  })
)

export class EventsApi extends HttpApiGroup.make("events")
  .add(ofTask)
  .add(all)
  .prefix("/api/v1")
  .annotate(Documented.Produces, contentType)
  .annotateMerge(
    OpenApi.annotations({ description: "Hear what happens, as it happens: server-sent events, resumable" })
  ) {}
