import { Context, Effect, Layer } from "effect"
import { type RegisteredType, RegisteredTypes } from "../ports/RegisteredTypes.ts"

type Registered = { readonly registered: RegisteredType }

/** The types that the service knows: what was known before, and these. Of two with one name the later counts. */
export const known = Effect.fnUntraced(function* (types: ReadonlyArray<Registered>) {
  const before = yield* RegisteredTypes
  return new Map([...before, ...types.map(({ registered }) => [registered.name, registered] as const)])
})

/**
 * Makes types known to a service that has no handlers for them: it checks what is submitted and describes the types,
 * and others do the work.
 */
export const layer = (...types: ReadonlyArray<Registered>): Layer.Layer<never> =>
  Layer.effectContext(Effect.map(known(types), (all) => Context.make(RegisteredTypes, all)))
