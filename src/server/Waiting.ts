import { Duration, Effect, Option } from "effect"
import type { HttpServerRequest } from "effect/http"
import { isFinished, type TaskId, type TaskStatus, type VenomTask } from "../domain/Task.ts"
import type { Orchestrator } from "../engine/Orchestrator.ts"

type Request = Pick<HttpServerRequest.HttpServerRequest, "headers">

/** Seconds that a request may take because its client would rather wait. */
const longest = 60

/** Requests of all clients that wait at once. Beyond it a task is answered as it is: a preference binds nobody. */
const mostWaiting = 10_000

/** What a header of preferences consists of. Each part is read once, whatever follows: none is taken back. */
const parts = /"(?:[^"\\]|\\.)*"?|,|[^,"]+/g

/** Preferences stand between commas that are not in quotes. */
const preferencesIn = (header: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  let current = ""
  for (const [part] of header.matchAll(parts)) {
    if (part !== ",") current += part
    else {
      found.push(current)
      current = ""
    }
  }
  return [...found, current]
}

/** How many seconds a client would rather wait than ask again (RFC 7240); what it says wrongly it has not said. */
export const secondsOf = ({ headers }: Request): number | undefined => {
  const { prefer } = headers
  for (const preference of prefer === undefined ? [] : preferencesIn(prefer)) {
    const [name = "", ...value] = (preference.split(";")[0] ?? "").split("=")
    if (name.trim().toLowerCase() !== "wait") continue
    const [, seconds] = /^"?(\d+)"?$/.exec(value.join("=").trim()) ?? []
    return seconds === undefined ? undefined : Math.min(Number(seconds), longest)
  }
  return undefined
}

/** A task as it is when its client is answered, and what is told of the waiting. */
interface Waited<A> {
  readonly task: A
  readonly headers: Readonly<Record<string, string>>
}

type Asks = Pick<Orchestrator["Service"], "awaitFinal" | "get">

/** Makes what gives a task as it is when it is final, or when its client has waited as long as it wanted to. */
export const make = ({ awaitFinal, get }: Asks) => {
  let waiting = 0

  return Effect.fnUntraced(function* <A extends { readonly id: TaskId; readonly status: TaskStatus }>(
    request: Request,
    found: A
  ): Effect.fn.Return<Waited<A | VenomTask>, Effect.Error<ReturnType<Asks["get"]>>> {
    const seconds = secondsOf(request)
    if (seconds === undefined) return { task: found, headers: {} }
    const headers = { "preference-applied": `wait=${seconds}` }
    if (seconds === 0 || isFinished(found)) return { task: found, headers }
    if (waiting >= mostWaiting) return { task: found, headers: {} }
    waiting++
    const final = yield* Effect.timeoutOption(awaitFinal(found.id), Duration.seconds(seconds)).pipe(
      Effect.ensuring(Effect.sync(() => waiting--))
    )
    return { task: Option.isSome(final) ? final.value : yield* get(found.id), headers }
  })
}
