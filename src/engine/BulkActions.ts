import { Clock, Effect, Fiber, Result, Schema } from "effect"
import * as Lifecycle from "../domain/Lifecycle.ts"
import type { TaskId, TaskStatus, VenomTask } from "../domain/Task.ts"
import type { IllegalTransition, TaskNotFound } from "../domain/TaskError.ts"
import { StateRepository, type TaskFilter } from "../ports/StateRepository.ts"
import type { QueueFull, StorageError } from "../ports/StorageError.ts"
import { Dispatcher } from "./Dispatcher.ts"

/** Tasks that are looked for at once. */
const pageSize = 500

/** Tasks that are changed at once: they share a sync, and then others have their turn. */
const step = 100

/** Not as many tasks match as was said. Nothing has happened. */
export class UnexpectedCount extends Schema.TaggedError<UnexpectedCount>()("UnexpectedCount", {
  matched: Schema.Int,
  expected: Schema.Int,
  tolerance: Schema.Int
}) {
  override get message() {
    const { expected, matched, tolerance } = this
    return `${matched} tasks match, and ${expected}${tolerance === 0 ? "" : ` ± ${tolerance}`} were expected`
  }
}

export interface Expectation {
  /** How many tasks match, as far as the caller knows; any number without. */
  readonly expected?: number
  /** By how many it may be wrong; 0 without. */
  readonly tolerance?: number
}

export interface BulkOutcome {
  /** Tasks that matched at the beginning. */
  readonly matched: number
  readonly changed: number
  /** Those that could not be changed, or were no longer in the status that was asked for. */
  readonly skipped: number
  /** It ended early: the queue holds as many unfinished tasks as it may. */
  readonly full?: true
}

/**
 * Changes of all tasks that match a filter when it begins: each by itself, the oldest first. When storage refuses in
 * the middle, what is done stays; when the queue is full it ends, and the others are skipped.
 */
export const make = Effect.gen(function* () {
  const repository = yield* StateRepository
  const dispatcher = yield* Dispatcher

  const matching = Effect.fnUntraced(function* (filter: TaskFilter) {
    const ids: Array<TaskId> = []
    for (let more = true; more;) {
      const last = ids.at(-1)
      const page = yield* repository.page(filter, { limit: pageSize, ...(last === undefined ? {} : { before: last }) })
      for (const { id } of page.tasks) ids.push(id)
      more = page.more
      yield* Effect.yieldNow
    }
    return ids.toReversed()
  })

  const all = <A>(change: (filter: TaskFilter, id: TaskId) => Effect.Effect<A, ChangeError>, then: After<A>) =>
    Effect.fnUntraced(function* (filter: TaskFilter, { expected, tolerance = 0 }: Expectation = {}) {
      const ids = yield* matching(filter)
      const matched = ids.length
      if (expected !== undefined && Math.abs(matched - expected) > tolerance) {
        return yield* new UnexpectedCount({ matched, expected, tolerance })
      }
      const ends: Array<Fiber.Fiber<void>> = []
      let changed = 0
      /** Tells whether there is room for no more. */
      const changeSome = Effect.fnUntraced(function* (some: ReadonlyArray<TaskId>) {
        const results = yield* Effect.forEach(some, (id) => Effect.result(change(filter, id)), {
          concurrency: "unbounded"
        })
        const done = results.flatMap((result) => (Result.isSuccess(result) ? [result.success] : []))
        changed += done.length
        // whoever has been told to stop may take its time: nobody else waits for that
        ends.push(yield* Effect.forkChild(then(done), { startImmediately: true, uninterruptible: true }))
        for (const result of results) {
          if (Result.isFailure(result) && result.failure._tag === "StorageError") return yield* result.failure
        }
        return results.some((result) => Result.isFailure(result) && result.failure._tag === "QueueFull")
      }, Effect.uninterruptible)
      let full = false
      for (let from = 0; from < matched && !full; from += step) {
        full = yield* changeSome(ids.slice(from, from + step))
        yield* Effect.yieldNow
      }
      yield* Fiber.joinAll(ends)
      const outcome: BulkOutcome = { matched, changed, skipped: matched - changed, ...(full ? { full } : {}) }
      return outcome
    })

  const cancel = ({ status }: TaskFilter, id: TaskId) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => repository.update(id, ifStill(status, Lifecycle.cancel(now))))

  const retry = ({ status }: TaskFilter, id: TaskId) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => repository.reopen(id, ifStill(status, Lifecycle.retryByHand(now))))

  const remove = ({ status }: TaskFilter, id: TaskId) => repository.remove(id, status)

  const nothing = () => Effect.void

  return {
    cancelAll: all(cancel, (cancelled) =>
      Effect.forEach(cancelled.filter(wasRunning), dispatcher.interrupt, { concurrency: "unbounded", discard: true })
    ),
    retryAll: all(retry, nothing),
    removeAll: all(remove, nothing)
  }
})

type ChangeError = StorageError | QueueFull | TaskNotFound | IllegalTransition
type After<A> = (changed: ReadonlyArray<A>) => Effect.Effect<void>

const wasRunning = (cancelled: VenomTask): boolean => cancelled.attempts.at(-1)?.outcome === "cancelled"

/** All else that a filter asks for never changes. */
const ifStill = (status: TaskStatus | undefined, transition: Lifecycle.Transition): Lifecycle.Transition =>
  status === undefined ? transition : Lifecycle.whileIn(status, transition)
