import { Schema } from "effect"
import { Instant } from "../domain/Task.ts"

/** What is kept beside the tasks under a name: a schedule, an idempotency key, what holds back the queue. */
export const Entry = Schema.Struct({
  name: Schema.String,
  value: Schema.Json,
  /** Grows by one with each change; the first is 1. */
  revision: Schema.Int,
  /** It counts as gone from then on. */
  expiresAt: Schema.NullOr(Instant)
})
export type Entry = typeof Entry.Type

/** Somebody else has changed the entry, or made it, since it was read. Nothing has happened. */
export class EntryChanged extends Schema.TaggedError<EntryChanged>()("EntryChanged", {
  name: Schema.String,
  /** What it is now; none where it has gone. */
  entry: Schema.Option(Entry)
}) {
  override get message() {
    return `The entry ${this.name} has changed`
  }
}

/** A change of an entry that holds only if nobody has changed it since. */
export interface Put {
  readonly name: string
  /** Undefined takes it away. */
  readonly value: Schema.Json | undefined
  /** The revision it must have; 0 where there must be none. */
  readonly expects: number
  readonly expiresAt: Instant | null
  /** What has expired by now counts as gone. */
  readonly now: Instant
}
