import { Clock, Context, Duration, Effect, Latch, Layer, Option, Stream } from "effect"
import { StateRepository } from "../ports/StateRepository.ts"
import { EngineSettings } from "./EngineSettings.ts"

/** Tasks deleted together: few enough that nobody waits for them. */
const stepSize = 500

/** Timers stand still while a machine is suspended: never slept longer than this. */
const longestSleep = 60_000

/** What finishes one by one is not deleted one by one. */
const rest = "1 second"

/** The pause after storage refused, and after a defect. */
const pause = "1 second"

/**
 * Deletes finished tasks that are too old or too many, in small steps. Sleeps until the first of them is
 * too old or one more has finished.
 */
export class Pruner extends Context.Service<
  Pruner,
  {
    /** Tasks deleted since the start. */
    readonly pruned: Effect.Effect<number>
  }
>()("venom/engine/Pruner") {
  static readonly layer = Layer.effect(
    Pruner,
    Effect.gen(function* () {
      const repository = yield* StateRepository
      const { retention, retentionCount: keep } = yield* EngineSettings
      const age = Duration.toMillis(retention)
      const mayHaveMore = yield* Latch.make(false)
      let pruned = 0

      const step = Effect.gen(function* () {
        yield* mayHaveMore.close
        const now = yield* Clock.currentTimeMillis
        const { count, firstFinished } = yield* repository.prune({ finishedBy: now - age, keep, limit: stepSize })
        pruned += count
        if (count === stepSize) return
        const untilTooOld = Option.getOrElse(firstFinished, () => Number.POSITIVE_INFINITY) + age - now
        yield* Number.isFinite(untilTooOld)
          ? Effect.raceFirst(mayHaveMore.await, Effect.sleep(Math.min(untilTooOld, longestSleep)))
          : mayHaveMore.await
        yield* Effect.sleep(rest)
      })

      // it may not end unseen: without it the state grows for ever
      const prune = step.pipe(
        // who is refused elsewhere has told
        Effect.catchTag("StorageError", () => Effect.sleep(pause)),
        Effect.catchDefect((defect) =>
          Effect.andThen(Effect.logError("Deleting old tasks met a defect", defect), Effect.sleep(pause))
        )
      )
      if (Number.isFinite(age) || Number.isFinite(keep)) {
        yield* Effect.forkScoped(Stream.runForEach(repository.finished, () => mayHaveMore.open))
        yield* Effect.forkScoped(Effect.forever(prune))
      }

      return Pruner.of({ pruned: Effect.sync(() => pruned) })
    })
  )
}
