import { Effect, Layer } from "effect"
import { Dispatcher } from "./Dispatcher.ts"
import { Draining } from "./Draining.ts"
import { EngineSettings } from "./EngineSettings.ts"

/**
 * The orderly stop, first part: take nothing in, let running attempts finish within the grace time.
 * What still runs then is interrupted and released when the engine's own scope closes.
 *
 * Provide it on top of whatever serves the outside, so that it ends first and the outside can still read.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const draining = yield* Draining
    const dispatcher = yield* Dispatcher
    const { shutdownGrace } = yield* EngineSettings
    yield* Effect.addFinalizer(() =>
      Effect.gen(function* () {
        yield* draining.begin
        const running = yield* dispatcher.running
        if (running > 0) yield* Effect.logInfo(`Draining: ${running} attempts may finish`)
        yield* Effect.timeoutOption(dispatcher.awaitIdle, shutdownGrace)
      })
    )
  })
)
