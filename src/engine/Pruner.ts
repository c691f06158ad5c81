import { Clock, Context, Duration, Effect, Latch, Layer, Metric, Option, Stream } from "effect"
import type { Instant } from "../domain/Task.ts"
import { CallbackSender } from "../ports/CallbackSender.ts"
import { type Retention, StateRepository } from "../ports/StateRepository.ts"
import { EngineSettings } from "./EngineSettings.ts"
import { sleepUntil } from "./SleepUntil.ts"

/** Tasks deleted together: few enough that nobody waits for them. */
const stepSize = 500

/** What finishes one by one is not deleted one by one. */
const rest = "1 second"

/** The pause after storage refused, and after a defect. */
const pause = "1 second"

export const prunedTotal = Metric.counter("venom_pruned_total", {
  description: "Finished tasks deleted since they were too old or too many",
  incremental: true
})

/**
 * Deletes finished tasks that are too old or too many, in small steps. Sleeps until the first of them is
 * too old or one more has finished.
 */
export class Pruner extends Context.Service<
  Pruner,
  {
    /** Tasks deleted since the start. */
    readonly pruned: Effect.Effect<number>
    /** When something is deleted next, as far as is known. */
    readonly next: Effect.Effect<Option.Option<Instant>>
  }
>()("venom/engine/Pruner") {
  static readonly layer = Layer.effect(
    Pruner,
    Effect.gen(function* () {
      const repository = yield* StateRepository
      const settings = yield* EngineSettings
      const { longestSleep, retentionCount: keep } = settings
      // what nobody sends would never be owed no more
      const keepOwed = (yield* CallbackSender) !== undefined
      const longest = Duration.toMillis(longestSleep)
      const retention: Retention = {
        COMPLETED: Duration.toMillis(settings.retention),
        FAILED: Duration.toMillis(settings.retentionFailed ?? settings.retention)
      }
      const mayHaveMore = yield* Latch.make(false)
      let pruned = 0
      let nextAt = Option.none<Instant>()

      /** Deletes a step's worth; tells whether there may be more, and when there will be as far as is known. */
      const deleteSome = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const gone = yield* repository.prune({ now, retention, keep, limit: stepSize, keepOwed })
        pruned += gone.count
        yield* Metric.update(prunedTotal, gone.count)
        const expired = yield* repository.expireEntries({ now, limit: stepSize })
        nextAt = gone.next
        return {
          hasMore: Math.max(gone.count, expired.count) === stepSize,
          next: Option.reduceCompact([gone.next, expired.next], Number.POSITIVE_INFINITY, Math.min)
        }
      })

      const step = Effect.gen(function* () {
        yield* repository.lead
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

      return Pruner.of({ pruned: Effect.sync(() => pruned), next: Effect.sync(() => nextAt) })
    })
  )
}
