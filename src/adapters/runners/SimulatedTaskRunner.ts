import { Duration, Effect, Layer } from "effect"
import { TaskRunner } from "../../ports/TaskRunner.ts"

export interface SimulatedOptions {
  /** How long each attempt works. */
  readonly duration?: Duration.Input
}

const characters = (text: string): number => {
  let count = 0
  for (const _ of text) count++
  return count
}

/** In which it says how far it is: about a second each, and in a short time none. */
const stepsOf = (duration: Duration.Duration): number =>
  Duration.isGreaterThan(duration, Duration.seconds(2)) ? Math.min(20, Math.floor(Duration.toSeconds(duration))) : 1

/** Passes the time instead of working, so that Venom can be tried with nothing else at hand. */
export const layer = (options: SimulatedOptions = {}): Layer.Layer<TaskRunner> =>
  Layer.effect(
    TaskRunner,
    Effect.gen(function* () {
      const duration = Duration.fromInputUnsafe(options.duration ?? "2 seconds")
      const time = Duration.format(duration)
      const steps = stepsOf(duration)
      yield* Effect.logInfo(
        `Tasks are only simulated: each passes ${time} and does nothing. ` +
          "To run real ones, set VENOM_RUNNER=command and VENOM_COMMAND='program args'"
      )
      return TaskRunner.of({
        run: Effect.fnUntraced(function* (task, handle) {
          yield* handle.log(`simulating work for ${time}`)
          for (let step = 1; step <= steps; step++) {
            yield* Effect.sleep(Duration.times(duration, 1 / steps))
            if (steps > 1) yield* handle.progress((100 * step) / steps, `step ${step} of ${steps}`)
          }
          yield* handle.log("simulated work done")
          return `simulated: ${characters(task.content)} characters of content`
        })
      })
    })
  )
