import { Duration, Effect, Option } from "effect"
import type { HttpServerRequest } from "effect/http"
import { isFinished, type TaskId, type TaskStatus, type VenomTask } from "../domain/Task.ts"
import type { Orchestrator } from "../engine/Orchestrator.ts"

type Request = Pick<HttpServerRequest.HttpServerRequest, "headers">

/** Seconds that a request may take because its client would rather wait. */
const longest = 60

/** A preference, its commas in quotes included. */
const preferences = /(?:[^,"]|"(?:[^"\\]|\\.)*")+/g

/** How many seconds a client would rather wait than ask again (RFC 7240); what it says wrongly it has not said. */
export const secondsOf = ({ headers }: Request): number | undefined => {
  for (const [preference] of headers["prefer"]?.matchAll(preferences) ?? []) {
    const [name = "", ...value] = (preference.split(";")[0] ?? "").split("=")
    if (name.trim().toLowerCase() !== "wait") continue
    const [, seconds] = /^"?(\d+)"?$/.exec(value.join("=").trim()) ?? []
    return seconds === undefined ? undefined : Math.min(Number(seconds), longest)
  }
  return undefined
}

export const headers = (request: Request): Readonly<Record<string, string>> => {
  const seconds = secondsOf(request)
  return seconds === undefined ? {} : { "preference-applied": `wait=${seconds}` }
}

/** A task as it is when it is final, or when its client has waited as long as it wanted to. */
export const untilFinal = Effect.fnUntraced(function* <A extends { readonly id: TaskId; readonly status: TaskStatus }>(
  { awaitFinal, get }: Pick<Orchestrator["Service"], "awaitFinal" | "get">,
  request: Request,
  found: A
): Effect.fn.Return<A | VenomTask, Effect.Error<ReturnType<typeof get>>> {
  const seconds = secondsOf(request) ?? 0
  if (seconds === 0 || isFinished(found)) return found
  const final = yield* Effect.timeoutOption(awaitFinal(found.id), Duration.seconds(seconds))
  return Option.isSome(final) ? final.value : yield* get(found.id)
})
