import { Effect, Layer, LogLevel } from "effect"
import * as Signals from "./Signals.ts"

/** From which level on events are logged: as configured, or from debug on while somebody looks closer. */
export interface Threshold {
  /** The least that is ever heard. */
  readonly lowest: LogLevel.LogLevel
  readonly hears: (level: LogLevel.LogLevel) => boolean
  readonly isCloser: () => boolean
  readonly toggle: () => void
}

export const make = (configured: LogLevel.LogLevel): Threshold => {
  const lowest = LogLevel.isGreaterThan(configured, "Debug") ? "Debug" : configured
  let isCloser = false
  return {
    lowest,
    hears: (level) => LogLevel.isGreaterThanOrEqualTo(level, isCloser ? lowest : configured),
    isCloser: () => isCloser,
    toggle: () => {
      isCloser = !isCloser
    }
  }
}

/**
 * SIGUSR2 turns debug on, and off again. A signal and no route: it needs nothing that a client could get hold of, comes
 * from whoever may stop the process too, and works when HTTP does not.
 */
export const layer = (threshold: Threshold) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const run = Effect.runForkWith(yield* Effect.context<never>())
      const tell = (what: string) => run(Effect.logInfo(what))
      yield* Effect.acquireRelease(
        Effect.sync(() =>
          Signals.onLook(() => {
            // it is heard while debug is on
            if (threshold.isCloser()) tell("SIGUSR2: the log is as configured again")
            threshold.toggle()
            if (threshold.isCloser()) tell("SIGUSR2: the log tells everything from debug on, until the next SIGUSR2")
          })
        ),
        () => Effect.sync(() => Signals.onLook(() => {}))
      )
    })
  )
