import { Schema } from "effect"
import type { HandlerTask } from "./Handlers.ts"

/** What a thread is started with. */
export interface ThreadData {
  /** The URL of the module. */
  readonly module: string
  /** One number: the messages that have been sent and not yet read. */
  readonly unread: SharedArrayBuffer
}

export type ToThread =
  | { readonly _tag: "Run"; readonly run: number; readonly task: HandlerTask }
  | { readonly _tag: "Abort" }

/** `run` is that of the attempt that a message belongs to. */
export const FromThread = Schema.Union([
  /** The types it has handlers for; null where one handler takes all. */
  Schema.TaggedStruct("Ready", { types: Schema.NullOr(Schema.Array(Schema.String)) }),
  Schema.TaggedStruct("Broken", { message: Schema.String }),
  Schema.TaggedStruct("Log", { run: Schema.Int, line: Schema.String }),
  Schema.TaggedStruct("Progress", {
    run: Schema.Int,
    percent: Schema.NullOr(Schema.Number),
    message: Schema.NullOr(Schema.String)
  }),
  Schema.TaggedStruct("Returned", { run: Schema.Int, result: Schema.String }),
  Schema.TaggedStruct("Threw", {
    run: Schema.Int,
    message: Schema.String,
    retryable: Schema.Boolean,
    /** Milliseconds. */
    retryAfter: Schema.NullOr(Schema.Finite)
  })
])
export type FromThread = typeof FromThread.Type
