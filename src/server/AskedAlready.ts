import { type Cause, Effect } from "effect"
import type { HttpServerRequest } from "effect/http"
import type { Orchestrator } from "../engine/Orchestrator.ts"

type Asks = Orchestrator["Service"]
export type Failure = Effect.Error<ReturnType<Asks["submit"]>> | Effect.Error<ReturnType<Asks["get"]>>

const failed = new WeakMap<object, Effect.Effect<never, Failure>>()

/** The engine has been asked for what this request wants, in vain: its handler only has to say so. */
export const remember = (source: object, cause: Cause.Cause<Failure>): void => {
  failed.set(source, Effect.failCause(cause))
}

export const of = ({ source }: HttpServerRequest.HttpServerRequest): Effect.Effect<never, Failure> | undefined =>
  failed.get(source)
