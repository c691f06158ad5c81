import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { FailureReason, Instant, TaskId, TaskType } from "../domain/Task.ts"
import { guarded, reads } from "./Problem.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const Percentiles = Schema.Struct({ p50: Schema.Finite, p95: Schema.Finite }).annotate({
  identifier: "Percentiles",
  description: "Seconds, to a tenth of what they are"
})

export const MinuteStatistics = Schema.Struct({
  at: Instant.annotate({ description: "When the minute began" }),
  submitted: Count,
  completed: Count,
  retried: Count.annotate({ description: "Attempts that failed and that another one follows" }),
  failed: Schema.Record(FailureReason, Schema.optionalKey(Count)).annotate({
    description: "Tasks that became FAILED, by why"
  }),
  wait: Schema.NullOr(Percentiles).annotate({ description: "From when a task was due until an attempt of it began" }),
  run: Schema.NullOr(Percentiles).annotate({ description: "How long attempts ran that ended in it" })
}).annotate({ identifier: "MinuteStatistics" })

export const FailureGroup = Schema.Struct({
  type: TaskType,
  reason: FailureReason,
  message: Schema.String.annotate({ description: "That of the newest; they differ in ids and numbers at most" }),
  count: Count,
  firstAt: Instant,
  lastAt: Instant,
  tasks: Schema.Array(TaskId).annotate({ description: "The newest of them, three at most" })
})
  .pipe(Schema.encodeKeys({ firstAt: "first_at", lastAt: "last_at" }))
  .annotate({ identifier: "FailureGroup" })
  .pipe(Schema.annotateEncoded({ identifier: "FailureGroup" }))

/** What the last hour brought. */
export const HourStatistics = Schema.Struct({
  since: Instant.annotate({ description: "Since then all is counted: for an hour, or since this process began" }),
  minutes: Schema.Array(MinuteStatistics).annotate({ description: "Those in which something happened, oldest first" }),
  failures: Schema.Array(FailureGroup).annotate({ description: "The most frequent first, fifty at most" })
}).annotate({ identifier: "HourStatistics" })
export type HourStatistics = typeof HourStatistics.Type

const Retention = Schema.NullOr(Schema.Finite)

/** Where the state is, how it fares there, and how long it stays. */
export const StorageState = Schema.Struct({
  kind: Schema.String.annotate({ description: "What holds it: `file`, `memory` or `postgres`" }),
  writable: Schema.Boolean,
  reason: Schema.NullOr(Schema.String).annotate({ description: "Why it takes no new task" }),
  savedAt: Schema.NullOr(Instant).annotate({ description: "When a change of a task last became durable" }),
  files: Schema.Array(Schema.Struct({ name: Schema.String, bytes: Count })),
  recovery: Schema.NullOr(
    Schema.Struct({
      at: Instant,
      seconds: Schema.Finite,
      tasks: Count,
      records: Count.annotate({ description: "Changes since the last dump" }),
      damagedBytes: Count
    }).pipe(Schema.encodeKeys({ damagedBytes: "damaged_bytes" }))
  ).annotate({ description: "What was found at the start" }),
  retention: Schema.Struct({ completed: Retention, failed: Retention, count: Schema.NullOr(Count) }).annotate({
    description: "For how many seconds finished tasks are kept, and how many of them; null is without end"
  }),
  nextPrune: Schema.NullOr(Instant).annotate({ description: "When the next one is deleted, as far as is known" })
})
  .pipe(Schema.encodeKeys({ savedAt: "saved_at", nextPrune: "next_prune" }))
  .annotate({ identifier: "StorageState" })
  .pipe(Schema.annotateEncoded({ identifier: "StorageState" }))
export type StorageState = typeof StorageState.Type

const lastHour = HttpApiEndpoint.get("lastHour", "/statistics", {
  success: HourStatistics,
  error: guarded
}).annotateMerge(
  OpenApi.annotations({
    summary: "What the last hour brought",
    description: "As this process saw it: what was before it began is not counted. Nodes see each other's tasks."
  })
)

const storage = HttpApiEndpoint.get("storage", "/storage", {
  success: StorageState,
  error: reads
}).annotateMerge(OpenApi.annotations({ summary: "Where the state is, and how it fares there" }))

export class StatisticsApi extends HttpApiGroup.make("statistics")
  .add(lastHour)
  .add(storage)
  .prefix("/api/v1")
  .annotateMerge(OpenApi.annotations({ description: "For those who look after the service" })) {}
