import { Effect } from "effect"
import * as Trace from "../domain/Trace.ts"
import * as Traceparent from "../domain/Traceparent.ts"

/** A submit that came with this header. */
export const cameWith = <A, E>(
  traceparent: string | ReadonlyArray<string> | undefined,
  submit: Effect.Effect<A, E>
): Effect.Effect<A, E> => {
  const known = typeof traceparent === "string" ? Traceparent.read(traceparent) : undefined
  return known === undefined ? submit : Effect.provideService(submit, Trace.Given, known)
}
