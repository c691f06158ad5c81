import { Clock, Effect, Layer, Metric, Stream } from "effect"
import * as Lifecycle from "../domain/Lifecycle.ts"
import { StateRepository } from "../ports/StateRepository.ts"
import { EngineSettings } from "./EngineSettings.ts"
import { recovered } from "./Metrics.ts"

/** The pause after storage refused, and after a defect. */
const pause = "1 second"

/**
 * At start: what a dead process has left PROCESSING runs again, or is FAILED, as the setting says. Where
 * storage does not take that now, the start goes on and it is done as soon as storage does.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const repository = yield* StateRepository
    const settings = yield* EngineSettings
    const rescue = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const rescued = yield* repository.rescue(
        settings.onRestart === "resume"
          ? Lifecycle.rescue(settings.crashLimit, now)
          : Lifecycle.fail("crashed", "the process died during this attempt", now)
      )
      yield* Metric.update(recovered, rescued.length)
      yield* Effect.forEach(
        rescued,
        (task) =>
          Effect.logWarning(
            task.status === "PENDING"
              ? "Rescued: its attempt ended with the process, it runs again"
              : `Failed as crashed: ${task.failure?.message ?? ""}`
          ).pipe(Effect.annotateLogs({ task_id: task.id, attempt: task.attempt })),
        { discard: true }
      )
    })
    // it may not end unseen: without it they stay as they are until the next start
    const rescueLater = Effect.sleep(pause).pipe(
      Effect.andThen(rescue),
      Effect.as(true),
      Effect.catchTag("StorageError", () => Effect.succeed(false)),
      Effect.catchDefect((defect) =>
        Effect.as(Effect.logError("Rescuing what a dead process has left met a defect", defect), false)
      ),
      Effect.repeat({ until: (isDone) => isDone })
    )
    yield* Effect.catchTag(rescue, "StorageError", ({ message }) =>
      Effect.andThen(
        Effect.logWarning("What a dead process has left running waits for storage", message),
        Effect.forkScoped(rescueLater)
      )
    )
    // a process that shares the repository has died
    yield* Effect.forkScoped(
      Stream.runForEach(repository.orphaned, () =>
        rescue.pipe(
          // it is told again while there are any
          Effect.catchTag("StorageError", () => Effect.void),
          Effect.catchDefect((defect) => Effect.logError("Rescuing what a dead process has left met a defect", defect))
        )
      )
    )
  })
)
