import { Arbitrary, Schema } from "effect"
import * as IsoTime from "../../src/domain/IsoTime.ts"
import { Callback, type Instant, VenomTask } from "../../src/domain/Task.ts"

/** An integer becomes a time that ISO 8601 has four digits for. */
const folded = (any: number): Instant => Math.abs(any) % IsoTime.latest
const foldedOrNull = (any: number | null) => (any === null ? null : folded(any))

/** A field that may be absent is so in what is made of the schema: these are there now and then. */
const mayBeThere = Arbitrary.schema(Schema.Struct({ callback: Schema.NullOr(Schema.toType(Callback)) }))

const parts = Arbitrary.all([Arbitrary.schema(Schema.toType(VenomTask)), mayBeThere])

/** Any value of the schema, whether a life leads there or not. */
export const anyTask = Arbitrary.map(parts, ([task, { callback }]): VenomTask => ({
  ...task,
  ...(callback === null
    ? {}
    : {
        callback: {
          ...callback,
          nextAt: foldedOrNull(callback.nextAt),
          deliveredAt: foldedOrNull(callback.deliveredAt)
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
