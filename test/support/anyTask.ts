import { Arbitrary, Schema } from "effect"
import * as IsoTime from "../../src/domain/IsoTime.ts"
import { type Instant, VenomTask } from "../../src/domain/Task.ts"

/** An integer becomes a time that ISO 8601 has four digits for. */
const folded = (any: number): Instant => Math.abs(any) % IsoTime.latest
const foldedOrNull = (any: number | null) => (any === null ? null : folded(any))

/** Any value of the schema, whether a life leads there or not. */
export const anyTask = Arbitrary.map(Arbitrary.schema(Schema.toType(VenomTask)), (task): VenomTask => ({
  ...task,
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
