import {
  Cause,
  Clock,
  Context,
  Duration,
  Effect,
  Exit,
  Fiber,
  FiberMap,
  Latch,
  Layer,
  Option,
  Ref,
  Semaphore,
  Stream
} from "effect"
import * as Lifecycle from "../domain/Lifecycle.ts"
import type { Instant, VenomTask } from "../domain/Task.ts"
import { StateRepository } from "../ports/StateRepository.ts"
import type { StorageError } from "../ports/StorageError.ts"
import { TaskRunner } from "../ports/TaskRunner.ts"
import { Attempt } from "./Attempt.ts"
import { Draining } from "./Draining.ts"
import { EngineSettings } from "./EngineSettings.ts"
import { sleepUntil } from "./SleepUntil.ts"

/** Tasks whose deadline has passed, ended together. */
const overdueAtOnce = 500

/** What others who share the repository have made due is seen so late at most, whether a hint tells it or not. */
const longestUntold = Duration.seconds(5)

/** The pause after storage refused a claim, and after a death. */
const pause = "1 second"

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
    /** Interrupts the attempt that this state of a task counts, if it runs here, and waits for its end. */
    readonly interrupt: (task: VenomTask) => Effect.Effect<void>
    /** Returns when nothing is claimed any more and no attempt is running: some time after draining began. */
    readonly awaitIdle: Effect.Effect<void>
    readonly health: Effect.Effect<DispatcherHealth>
  }
>()("venom/engine/Dispatcher") {
  static readonly layer = Layer.effect(
    Dispatcher,
    Effect.gen(function* () {
      const repository = yield* StateRepository
      const attempts = yield* Attempt
      const { types } = yield* TaskRunner
      const { concurrency, longestSleep } = yield* EngineSettings
      const longest = Duration.toMillis(longestSleep)
      const draining = yield* Draining
      const running = yield* FiberMap.make<string, void, never>()
      const mayHaveWork = yield* Latch.make(true)
      const turn = yield* Semaphore.make(1)
      const health = yield* Ref.make<DispatcherHealth>({ _tag: "Running" })
      const outage = yield* Ref.make(false)

      /** Cancelled and retried by hand, a task may be claimed while the attempt before is on its way out. */
      const begin = (task: VenomTask) => {
        if (task.attempt === 1) return attempts.run(task)
        const before = FiberMap.getUnsafe(running, claimOf({ id: task.id, attempt: task.attempt - 1 }))
        return attempts.run(task, Option.getOrUndefined(before))
      }

      // a claim without its attempt would be an orphan
      const claimAndStart = Effect.gen(function* () {
        const free = concurrency - (yield* FiberMap.size(running))
        if (free <= 0) return Option.none()
        const now = yield* Clock.currentTimeMillis
        const claimed = yield* repository.claim({ limit: free, now, types })
        for (const task of claimed) {
          yield* FiberMap.run(running, claimOf(task), Effect.ensuring(begin(task), mayHaveWork.open))
        }
        return claimed.length === free ? Option.none() : yield* repository.nextDue(types)
      }).pipe(turn.withPermits(1), Effect.uninterruptible)

      /** Tells when the next deadline is. */
      const expireOverdue: Effect.Effect<Option.Option<Instant>, StorageError> = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const { next, tasks } = yield* repository.overdue({ now, limit: overdueAtOnce })
        if (tasks.length === 0) return next
        const expire = ({ id }: VenomTask) =>
          // it has gone on meanwhile
          repository
            .update(id, Lifecycle.expire(now))
            .pipe(Effect.catchTags({ IllegalTransition: skip, TaskNotFound: skip }))
        yield* Effect.forEach(tasks, expire, { concurrency: "unbounded", discard: true })
        return yield* expireOverdue
      })

      /** Until a hint tells of work, or something is due. */
      const waited = (due: Instant) =>
        due === Number.POSITIVE_INFINITY
          ? mayHaveWork.await
          : Effect.raceFirst(mayHaveWork.await, sleepUntil(due, longest))

      const step = Effect.gen(function* () {
        yield* mayHaveWork.close
        const deadline = yield* expireOverdue
        const due = Option.reduceCompact([yield* claimAndStart, deadline], Number.POSITIVE_INFINITY, Math.min)
        yield* Ref.set(outage, false)
        if (repository.isShared) yield* Effect.raceFirst(waited(due), Effect.sleep(longestUntold))
        else yield* waited(due)
      })

      const awaitStorage = Effect.fnUntraced(function* (error: StorageError) {
        if (!(yield* Ref.getAndSet(outage, true))) yield* Effect.logWarning("Nothing can be claimed", error.message)
        yield* Effect.sleep(pause)
      })

      const dispatch = Effect.raceFirst(
        Effect.forever(Effect.catchTag(step, "StorageError", awaitStorage)),
        Effect.andThen(
          Stream.runForEach(repository.wake, () => mayHaveWork.open),
          Effect.die("the repository's hints came to an end")
        )
      )

      const supervise = Effect.gen(function* () {
        for (let deaths = 1; ; deaths++) {
          const death = yield* Fiber.await(yield* Effect.forkChild(dispatch))
          yield* Ref.set(health, { _tag: "Restarting", deaths })
          yield* Effect.logError(
            "The dispatcher died and begins anew",
            Exit.isFailure(death) ? death.cause : Cause.empty
          )
          yield* Effect.sleep(pause)
          yield* Ref.set(health, { _tag: "Running" })
        }
      })

      // what they bring comes too late
      const letGo = (lost: Pick<VenomTask, "id" | "attempt">) =>
        Effect.map(turn.withPermits(1)(FiberMap.get(running, claimOf(lost))), (attempt) => {
          if (Option.isSome(attempt)) attempt.value.interruptUnsafe()
        })
      yield* Effect.forkScoped(Stream.runForEach(repository.lost, letGo))

      const claiming = yield* Effect.forkScoped(Effect.raceFirst(supervise, draining.awaitBegin))

      return Dispatcher.of({
        running: FiberMap.size(running),
        interrupt: (task) =>
          // between two rounds: in the middle of one a task may be claimed and its attempt not begun
          Effect.flatMap(turn.withPermits(1)(FiberMap.get(running, claimOf(task))), (attempt) => {
            if (Option.isNone(attempt)) return Effect.void
            attempt.value.interruptUnsafe()
            // the caller's waiting, wherever it stands, may be interrupted
            return Effect.interruptible(Effect.asVoid(Fiber.await(attempt.value)))
          }),
        awaitIdle: Effect.andThen(Fiber.await(claiming), FiberMap.awaitEmpty(running)),
        health: Ref.get(health)
      })
    })
  )
}

const claimOf = ({ attempt, id }: Pick<VenomTask, "id" | "attempt">): string => `${id} ${attempt}`

const skip = () => Effect.void
