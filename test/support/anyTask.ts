import { Arbitrary, Schema } from "effect"
import * as IsoTime from "../../src/domain/IsoTime.ts"
import { Callback, type Instant, VenomTask } from "../../src/domain/Task.ts"

/** An integer becomes a time that ISO 8601 has four digits for. */
const folded = (any: number): Instant => Math.abs(any) % IsoTime.latest
const foldedOrNull = (any: number | null) => (any === null ? null : folded(any))

const keyOf = (any: string): string => `of ${any}`.slice(0, 256)

const Span = Schema.NullOr(Schema.Literals(["1 millis", "250 millis", "2 hours", "365 days"]))

/** A field that may be absent is so in what is made of the schema: these are there now and then. */
const mayBeThere = Arbitrary.schema(
  Schema.Struct({
    timeout: Span,
    backoff: Schema.NullOr(
      Schema.Literals(["fixed", "linear", "exponential"]).pipe((kind) =>
        Schema.Struct({ kind, jitter: Schema.Boolean })
      )
    ),
    deadline: Schema.NullOr(Schema.Int),
    concurrencyKey: Schema.NullOr(Schema.String),
    uniqueKey: Schema.NullOr(Schema.String),
    retention: Span,
    traceparent: Schema.Boolean,
    failureData: Schema.NullOr(Schema.Json),
    callback: Schema.NullOr(Schema.toType(Callback))
  })
)

const parts = Arbitrary.all([Arbitrary.schema(Schema.toType(VenomTask)), mayBeThere])

/** Any value of the schema, whether a life leads there or not. */
export const anyTask = Arbitrary.map(parts, ([task, more]): VenomTask => ({
  ...task,
  ...(more.timeout === null ? {} : { timeout: more.timeout }),
  ...(more.backoff === null ? {} : { backoff: { kind: more.backoff.kind, jitter: more.backoff.jitter ? 0.5 : 0 } }),
  ...(more.deadline === null ? {} : { deadline: folded(more.deadline) }),
  ...(more.concurrencyKey === null ? {} : { concurrencyKey: keyOf(more.concurrencyKey) }),
  ...(more.uniqueKey === null ? {} : { uniqueKey: keyOf(more.uniqueKey) }),
  ...(more.retention === null ? {} : { retention: more.retention }),
  ...(more.traceparent ? { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` } : {}),
  ...(task.failure === null || more.failureData === null
    ? {}
    : { failure: { ...task.failure, data: more.failureData } }),
  ...(more.callback === null
    ? {}
    : {
        callback: {
          ...more.callback,
          nextAt: foldedOrNull(more.callback.nextAt),
          deliveredAt: foldedOrNull(more.callback.deliveredAt)
        }
      }),
  createdAt: folded(task.createdAt),
  runAt: folded(task.runAt),
  updatedAt: folded(task.updatedAt),
  startedAt: foldedOrNull(task.startedAt),
  finishedAt: foldedOrNull(task.finishedAt),
  attempts: task.attempts.map((attempt) => ({
    ...attempt,
    startedAt: folded(attempt.startedAt),
    finishedAt: foldedOrNull(attempt.finishedAt)
  }))
}))
