import { Clock, Context, Duration, Effect, Latch, Layer, Option, Stream } from "effect"
import { StateRepository } from "../ports/StateRepository.ts"
import { EngineSettings } from "./EngineSettings.ts"
import { sleepUntil } from "./SleepUntil.ts"

/** Tasks deleted together: few enough that nobody waits for them. */
const stepSize = 500

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
      const { longestSleep, retention, retentionCount: keep } = yield* EngineSettings
      const longest = Duration.toMillis(longestSleep)
      const age = Duration.toMillis(retention)
      const mayHaveMore = yield* Latch.make(false)
      let pruned = 0

      /** Deletes a step's worth; tells whether there may be more, and when there will be as far as is known. */
      const deleteSome = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const old = yield* repository.prune({ finishedBy: now - age, keep, limit: stepSize })
        const ended = yield* repository.pruneEnded({ now, limit: stepSize })
        const expired = yield* repository.expireEntries({ now, limit: stepSize })
        pruned += old.count + ended.count
        const never = () => Number.POSITIVE_INFINITY
        return {
          hasMore: Math.max(old.count, ended.count, expired.count) === stepSize,
          next: Math.min(
            Option.getOrElse(old.firstFinished, never) + age,
            Option.getOrElse(ended.next, never),
            Option.getOrElse(expired.next, never)
          )
        }
      })

      const step = Effect.gen(function* () {
        yield* mayHaveMore.close
        const { hasMore, next } = yield* deleteSome
        if (hasMore) return
        yield* Number.isFinite(next)
          ? Effect.raceFirst(mayHaveMore.await, sleepUntil(next, longest))
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
      yield* Effect.forkScoped(Stream.runForEach(repository.finished, () => mayHaveMore.open))
      yield* Effect.forkScoped(Effect.forever(prune))

      return Pruner.of({ pruned: Effect.sync(() => pruned) })
    })
  )
}
