import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Limits } from "../domain/Flow.ts"
import { Instant, TaskStatus, TaskType } from "../domain/Task.ts"
import * as Documented from "./Documented.ts"
import { reads, writes } from "./Problem.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Counts = Schema.Record(TaskStatus, Count)

/** What stands where, and what holds it back. */
export const QueueState = Schema.Struct({
  paused: Schema.Boolean,
  counts: Counts,
  types: Schema.Array(Schema.Struct({ type: TaskType, paused: Schema.Boolean, counts: Counts })),
  oldestDue: Schema.NullOr(Instant).annotate({
    description: "When the waiting task was due that has been due for longest"
  }),
  running: Count.annotate({ description: "Attempts that run now" }),
  limit: Count.annotate({ description: "As many may run at once" })
})
  .pipe(Schema.encodeKeys({ oldestDue: "oldest_due" }))
  .annotate({ identifier: "QueueState" })
  .pipe(Schema.annotateEncoded({ identifier: "QueueState" }))

export type QueueState = typeof QueueState.Type

/** Of a type, or of all without one. */
export const PauseRequest = Schema.Struct({ type: Schema.optionalKey(TaskType) }).annotate({
  identifier: "PauseRequest"
})
export type PauseRequest = typeof PauseRequest.Type

const state = HttpApiEndpoint.get("state", "/queue", { success: QueueState, error: reads }).annotateMerge(
  OpenApi.annotations({ summary: "How the queue stands" })
)

const pause = HttpApiEndpoint.post("pause", "/queue/pause", {
  payload: PauseRequest,
  success: QueueState,
  error: writes
}).annotateMerge(
  OpenApi.annotations({
    summary: "Pause the queue, or one type",
    description:
      "Once it is answered no attempt begins any more; those that run go on. It stands until it is resumed, whatever restarts.",
    transform: Documented.optionalBody
  })
)

const resume = HttpApiEndpoint.post("resume", "/queue/resume", {
  payload: PauseRequest,
  success: QueueState,
  error: writes
}).annotateMerge(OpenApi.annotations({ summary: "Resume the queue, or one type", transform: Documented.optionalBody }))

const limits = HttpApiEndpoint.get("limits", "/queue/limits", { success: Limits, error: reads }).annotateMerge(
  OpenApi.annotations({ summary: "Read the limits" })
)

const setLimits = HttpApiEndpoint.put("setLimits", "/queue/limits", {
  payload: Limits,
  success: Limits,
  error: writes
}).annotateMerge(
  OpenApi.annotations({
    summary: "Set the limits",
    description: "All of them, in place of those until now. What is paused stays so."
  })
)

export class QueueApi extends HttpApiGroup.make("queue")
  .add(state)
  .add(pause.annotate(Documented.Needed, "admin"))
  .add(resume.annotate(Documented.Needed, "admin"))
  .add(limits)
  .add(setLimits.annotate(Documented.Needed, "admin"))
  .prefix("/api/v1")
  .annotateMerge(OpenApi.annotations({ description: "See how the queue stands, and hold it back" })) {}
