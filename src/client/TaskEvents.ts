import { Effect, Schema, Stream } from "effect"
import * as Sse from "effect/encoding/Sse"
import type { HttpClientError } from "effect/http"
import { Failure, Instant, isFinished, Progress, TaskId, TaskStatus } from "../domain/Task.ts"
import type { TaskEvent } from "../ports/TaskClient.ts"

const State = Schema.Struct({
  task_id: TaskId,
  status: TaskStatus,
  attempt: Schema.Int,
  run_at: Instant,
  // told where the status is final
  result: Schema.optionalKey(Schema.NullOr(Schema.String)),
  failure: Schema.optionalKey(Schema.NullOr(Failure))
})

/** The events of one task, as its stream has them. */
const Sent = Schema.Union([
  Schema.Struct({ event: Schema.Literals(["status", "reset"]), data: Schema.fromJsonString(State) }),
  Schema.Struct({
    event: Schema.Literal("log"),
    data: Schema.fromJsonString(Schema.Struct({ line: Schema.String }))
  }),
  Schema.Struct({ event: Schema.Literal("progress"), data: Schema.fromJsonString(Progress) })
])
const decode = Schema.decodeUnknownEffect(Sent)

const eventOf = (sent: typeof Sent.Type): TaskEvent => {
  switch (sent.event) {
    case "log":
      return { _tag: "Log", line: sent.data.line }
    case "progress":
      return { _tag: "Progress", progress: sent.data }
    default: {
      const { attempt, failure = null, result = null, run_at: runAt, status, task_id: id } = sent.data
      return { _tag: "Status", task: { id, status, attempt, runAt, result, failure } }
    }
  }
}

/** The pause before a stream that broke is opened again. */
const gap = "1 second"

/**
 * What happens to a task until it is final. A connection that breaks is opened again where it was; what `open` fails with,
 * also then, ends it.
 */
export const follow = <E>(
  open: (
    lastEventId: string | undefined
  ) => Effect.Effect<Stream.Stream<Uint8Array, HttpClientError.HttpClientError>, E>
): Stream.Stream<TaskEvent, E | Schema.SchemaError> =>
  Stream.suspend(() => {
    let last: string | undefined
    let isOver = false
    const connect: Stream.Stream<TaskEvent, E | Schema.SchemaError> = Stream.suspend(() =>
      Stream.unwrap(Effect.map(open(last), eventsIn)).pipe(
        Stream.concat(Stream.suspend(() => (isOver ? Stream.empty : Stream.concat(pause, connect))))
      )
    )
    const eventsIn = (bytes: Stream.Stream<Uint8Array, HttpClientError.HttpClientError>) =>
      bytes.pipe(
        Stream.decodeText(),
        Stream.pipeThroughChannel(Sse.decode<HttpClientError.HttpClientError, unknown>()),
        // the service names no pause and sends nothing larger than may be: each is a break like another
        Stream.catchTags({
          HttpClientError: () => Stream.empty,
          Retry: () => Stream.empty,
          SseError: () => Stream.empty
        }),
        Stream.mapEffect((sent) =>
          Effect.map(decode(sent), (read) => {
            last = sent.id ?? last
            const event = eventOf(read)
            isOver ||= event._tag === "Status" && isFinished(event.task)
            return event
          })
        )
      )
    return connect
  })

const pause = Stream.fromEffect(Effect.sleep(gap)).pipe(Stream.drain)
