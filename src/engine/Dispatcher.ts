import { Cause, Clock, Context, Effect, FiberMap, Latch, Layer, Option, Ref, Stream } from "effect"
import type { TaskId } from "../domain/Task.ts"
import { StateRepository } from "../ports/StateRepository.ts"
import { Attempt } from "./Attempt.ts"
import { Draining } from "./Draining.ts"
import { EngineSettings } from "./EngineSettings.ts"

/**
 * The longest sleep until a task is due. Timers stand still while a machine is suspended and know
 * nothing of a wall clock set forward: this bounds how late a task can be after either.
 */
const longestSleep = 60_000

export type DispatcherHealth =
  | { readonly _tag: "Running" }
  /** It died of a defect and begins anew in a moment. */
  | { readonly _tag: "Restarting"; readonly deaths: number }

/**
 * Claims what is due and runs each claim as a supervised fiber. Sleeps until something can happen: a
 * hint of the repository, a freed slot, the next due time.
 */
export class Dispatcher extends Context.Service<
  Dispatcher,
  {
    /** Attempts running in this process. */
    readonly running: Effect.Effect<number>
    /** Interrupts a task's attempt, if it runs here, and waits for its end. */
    readonly interrupt: (id: TaskId) => Effect.Effect<void>
    /** Returns when no attempt is running. Meant for a dispatcher that claims no more. */
    readonly awaitIdle: Effect.Effect<void>
    readonly health: Effect.Effect<DispatcherHealth>
  }
>()("venom/engine/Dispatcher") {
  static readonly layer = Layer.effect(
    Dispatcher,
    Effect.gen(function* () {
      const repository = yield* StateRepository
      const attempts = yield* Attempt
      const settings = yield* EngineSettings
      const draining = yield* Draining
      const running = yield* FiberMap.make<TaskId, void, never>()
      const mayHaveWork = yield* Latch.make(true)
      const health = yield* Ref.make<DispatcherHealth>({ _tag: "Running" })
      const deaths = yield* Ref.make(0)

      const claimAndStart = Effect.gen(function* () {
        const free = settings.concurrency - (yield* FiberMap.size(running))
        if (free <= 0) return Option.none()
        const now = yield* Clock.currentTimeMillis
        const claimed = yield* repository.claim({ limit: free, now })
        for (const task of claimed) {
          const attempt = Effect.ensuring(attempts.run(task), mayHaveWork.open)
          yield* FiberMap.run(running, task.id, attempt, { startImmediately: true })
        }
        return claimed.length === free ? Option.none() : yield* repository.nextDue
      }).pipe(
        // a claim without its attempt would be an orphan
        Effect.uninterruptible,
        Effect.catchTag("StorageError", (error) =>
          Effect.as(Effect.logWarning("Nothing can be claimed", error.message), Option.none())
        )
      )

      const step = Effect.gen(function* () {
        yield* mayHaveWork.close
        const due = yield* claimAndStart
        if (Option.isNone(due)) return yield* mayHaveWork.await
        const wait = due.value - (yield* Clock.currentTimeMillis)
        yield* Effect.raceFirst(mayHaveWork.await, Effect.sleep(Math.min(Math.max(wait, 0), longestSleep)))
      })

      const dispatch = Effect.forever(step).pipe(
        Effect.catchCauseIf(
          (cause) => !Cause.hasInterruptsOnly(cause),
          Effect.fnUntraced(function* (cause) {
            const count = yield* Ref.updateAndGet(deaths, (before) => before + 1)
            yield* Ref.set(health, { _tag: "Restarting", deaths: count })
            yield* Effect.logError("The dispatcher died and begins anew", cause)
            yield* Effect.sleep("1 second")
            yield* mayHaveWork.open
            yield* Ref.set(health, { _tag: "Running" })
          })
        ),
        Effect.forever
      )

      yield* Effect.forkScoped(Stream.runForEach(repository.wake, () => mayHaveWork.open))
      yield* Effect.forkScoped(Effect.raceFirst(dispatch, draining.awaitBegin))

      return Dispatcher.of({
        running: FiberMap.size(running),
        interrupt: (id) => FiberMap.remove(running, id),
        awaitIdle: Effect.gen(function* () {
          while ((yield* FiberMap.size(running)) > 0) yield* FiberMap.awaitEmpty(running)
        }),
        health: Ref.get(health)
      })
    })
  )
}
