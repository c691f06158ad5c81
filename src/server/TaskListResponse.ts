import { Cause, Effect, Pull, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import type { VenomTask } from "../domain/Task.ts"
import * as TaskJson from "../domain/TaskJson.ts"
import { headers, json } from "./JsonResponse.ts"

/** Characters of JSON that are made in one go, while nobody else has a turn. */
const pieceLength = 32 * 1024

/** Characters of a page that are made before it is sent: 500 tasks can be more than a string may hold. */
const atOnce = 1024 * 1024

/** A page: with its length where it is of an ordinary size, else written as the client reads. */
export const page = (tasks: ReadonlyArray<VenomTask>, link?: string): HttpServerResponse.HttpServerResponse => {
  const more = link === undefined ? {} : { link }
  const rest = array(tasks)
  let text = ""
  while (text.length <= atOnce) {
    const piece = rest.next()
    if (piece.done === true) return json(text, { headers: more })
    text += piece.value
  }
  return HttpServerResponse.stream(Stream.make(text).pipe(Stream.concat(inTurns(rest)), Stream.encodeText), {
    contentType: "application/json",
    headers: { ...headers, ...more }
  })
}

/**
 * Any number of tasks as one array, written as fast as the client reads and no faster. The first of them are
 * fetched before the answer begins, so that a store that refuses to read still gets an answer of its own.
 */
export const streamed = Effect.fnUntraced(function* <E>(tasks: Stream.Stream<VenomTask, E>) {
  const pull = yield* Stream.toPull(tasks)
  const first = yield* Pull.catchDone(pull, () => Effect.succeed<ReadonlyArray<VenomTask>>([]))
  const rest = first.length === 0 ? Stream.empty : Stream.fromPull(Effect.succeed(pull))
  const body = rest.pipe(
    Stream.mapArray((chunk): readonly [ReadonlyArray<VenomTask>] => [chunk]),
    Stream.flatMap((chunk) => inTurns(pieces(chunk, ",")))
  )
  return HttpServerResponse.stream(
    inTurns(pieces(first, "[")).pipe(
      Stream.concat(body),
      Stream.concat(Stream.make(first.length === 0 ? "[]" : "]")),
      Stream.encodeText,
      Stream.tapCause((cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logError("A list of tasks was cut off", cause)
      )
    ),
    { contentType: "application/json", headers }
  )
})

/**
 * One piece at a time, and after each the others have their turn: a client that reads fast takes each piece at
 * once, so that nothing else ends the turn.
 */
const inTurns = (pieces: Iterable<string>): Stream.Stream<string> =>
  Stream.fromIterable(pieces, { chunkSize: 1 }).pipe(Stream.mapEffect((piece) => Effect.as(Effect.yieldNow, piece)))

function* array(tasks: ReadonlyArray<VenomTask>): Generator<string> {
  yield* pieces(tasks, "[")
  yield tasks.length === 0 ? "[]" : "]"
}

/** The tasks in JSON, each after a comma but the first, which follows `before`. */
function* pieces(tasks: ReadonlyArray<VenomTask>, before: "[" | ","): Generator<string> {
  let piece = ""
  for (const [index, task] of tasks.entries()) {
    piece += (index === 0 ? before : ",") + TaskJson.toJson(task)
    if (piece.length < pieceLength) continue
    yield piece
    piece = ""
  }
  if (piece !== "") yield piece
}
