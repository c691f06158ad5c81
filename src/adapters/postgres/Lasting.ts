import { type Duration, Effect, type Scope } from "effect"

/** Does it again and again while its scope is open. However one round ends, the next one begins, after a rest. */
export const run = <E, R>(
  name: string,
  rest: Duration.Input,
  round: Effect.Effect<unknown, E, R>
): Effect.Effect<void, never, R | Scope.Scope> =>
  round.pipe(
    Effect.catchCause((cause) => Effect.andThen(Effect.logError(`${name} failed`, cause), Effect.sleep(rest))),
    Effect.forever,
    Effect.forkScoped({ startImmediately: true }),
    Effect.asVoid
  )
