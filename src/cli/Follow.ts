import { Effect, Schema, Stream } from "effect"
import * as Sse from "effect/encoding/Sse"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as Patience from "../client/Patience.ts"
import { TaskStatus } from "../domain/Task.ts"
import type * as Trouble from "./Trouble.ts"

const state = { task_id: Schema.String, status: TaskStatus, attempt: Schema.Int }

/** What the service tells of tasks, as far as it is looked at here. */
const Told = Schema.Union([
  Schema.Struct({ event: Schema.Literal("status"), data: Schema.fromJsonString(Schema.Struct(state)) }),
  Schema.Struct({
    event: Schema.Literal("log"),
    data: Schema.fromJsonString(Schema.Struct({ task_id: Schema.String, line: Schema.String }))
  }),
  Schema.Struct({
    event: Schema.Literal("progress"),
    data: Schema.fromJsonString(
      Schema.Struct({
        task_id: Schema.String,
        percent: Schema.NullOr(Schema.Finite),
        message: Schema.NullOr(Schema.String)
      })
    )
  }),
  Schema.Struct({ event: Schema.Literal("reset"), data: Schema.fromJsonString(Schema.Unknown) })
])
export type Told = typeof Told.Type

const decode = Schema.decodeUnknownEffect(Told)

/** The pause before the next try, while there is no connection. */
const gap = "1 second"

type Open = (headers: {
  readonly "last-event-id"?: string
}) => Effect.Effect<Stream.Stream<Uint8Array, HttpClientError>, Trouble.Trouble>

/**
 * Follows a stream of events until `visit` says that it has seen enough. A connection that breaks is opened again where
 * it was; only the first must be there.
 */
export const events = Effect.fnUntraced(function* <R, R2>(
  open: Open,
  visit: (told: Told) => Effect.Effect<"more" | "enough", Trouble.Trouble, R>,
  onBreak: Effect.Effect<void, Trouble.Trouble, R2>
) {
  let lastId: string | undefined
  let isOver = false
  let wasOpen = false
  for (;;) {
    const once = Effect.gen(function* () {
      const bytes = yield* open(lastId === undefined ? {} : { "last-event-id": lastId })
      wasOpen = true
      yield* bytes.pipe(
        Stream.decodeText(),
        Stream.pipeThroughChannel(Sse.decode<HttpClientError, unknown>()),
        // the service names no pause, and its events are small
        Stream.catchTags({ Retry: () => Stream.empty, SseError: () => Stream.empty }),
        Stream.takeWhile(() => !isOver),
        Stream.runForEach(
          Effect.fnUntraced(function* (event) {
            isOver = (yield* visit(yield* decode(event))) === "enough"
            lastId = event.id ?? lastId
          })
        )
      )
    })
    const ended = yield* Effect.result(once)
    if (ended._tag === "Failure" && !(wasOpen && Patience.isPassing(ended.failure)))
      return yield* Effect.fail(ended.failure)
    if (isOver) return
    yield* onBreak
    yield* Effect.sleep(gap)
  }
})
