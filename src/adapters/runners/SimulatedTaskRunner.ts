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

/** Passes the time instead of working, so that Venom can be tried with nothing else at hand. */
export const layer = (options: SimulatedOptions = {}): Layer.Layer<TaskRunner> =>
  Layer.effect(
    TaskRunner,
    Effect.gen(function* () {
      const duration = Duration.fromInputUnsafe(options.duration ?? "2 seconds")
      const time = Duration.format(duration)
      yield* Effect.logInfo(
        `Tasks are only simulated: each passes ${time} and does nothing. ` +
          "To run real ones, set VENOM_RUNNER=command and VENOM_COMMAND='program args'"
      )
      return TaskRunner.of({
        run: Effect.fn("SimulatedTaskRunner.run")(function* (task, handle) {
          yield* handle.log(`simulating work for ${time}`)
          yield* Effect.sleep(duration)
          yield* handle.log("simulated work done")
          return `simulated: ${characters(task.content)} characters of content`
        })
      })
    })
  )
