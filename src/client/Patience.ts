import { Clock, Effect, Schedule } from "effect"
import { HttpClientError } from "effect/http"
import { isFinished, type TaskId } from "../domain/Task.ts"
import type { VenomClient } from "./VenomClient.ts"

/** The longest that the service holds one request. */
const once = 60

/** Seconds between two requests where an answer that is not final names none. */
const usualPause = 1

/** A service that starts again is asked until it has been away for so long: 1, 2, 4, 8, then each 10 seconds. */
export const away = Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("10 seconds")]).pipe(
  Schedule.jittered,
  Schedule.upTo({ duration: "5 minutes" })
)

/** Whether what a service, or the way to it, fails with may be well in a moment. */
export const isPassing = (error: { readonly _tag: string }): boolean => {
  if ("status" in error) return error.status === 503 || error.status === 429
  if (!HttpClientError.isHttpClientError(error)) return false
  const { reason, response } = error
  return (
    reason._tag === "TransportError" ||
    // the connection broke within the answer
    (reason._tag === "DecodeError" && reason.cause instanceof TypeError) ||
    (response?.status ?? 0) >= 502
  )
}

/**
 * The task when it is final. A service that stops answers at once, with a task that is not final: requests are at least
 * as far apart as its `Retry-After` says.
 *
 * `isKnown` says whether the service is one that has answered before: then a start of it is waited for.
 */
export const untilFinal = Effect.fnUntraced(function* (
  client: Pick<VenomClient["Service"], "tasks">,
  id: TaskId,
  isKnown: boolean
) {
  let hasAnswered = isKnown
  for (;;) {
    const ask = Effect.gen(function* () {
      const began = yield* Clock.currentTimeMillis
      const answer = yield* client.tasks.get({ params: { id }, headers: { prefer: `wait=${once}` } })
      return { ...answer, took: (yield* Clock.currentTimeMillis) - began }
    })
    const { body, headers, took } = yield* Effect.retry(ask, {
      schedule: away,
      while: (error) => hasAnswered && isPassing(error)
    })
    hasAnswered = true
    if (isFinished(body)) return body
    const wished = Number(headers["retry-after"] ?? usualPause)
    const pause = (Number.isFinite(wished) ? wished : usualPause) * 1000 - took
    if (pause > 0) yield* Effect.sleep(pause)
  }
})
