import { Effect, Layer, Option, PubSub, Result, Stream } from "effect"
import type { Transition } from "../../domain/Lifecycle.ts"
import * as Lifecycle from "../../domain/Lifecycle.ts"
import { isFinished, type TaskId, type VenomTask } from "../../domain/Task.ts"
import { type IllegalTransition, TaskNotFound } from "../../domain/TaskError.ts"
import { QueueFull, type Settlement, StateRepository } from "../../ports/StateRepository.ts"
import { TaskTable } from "./TaskTable.ts"

export interface MemoryOptions {
  /** Unfinished tasks held at most. */
  readonly maxPending?: number
  /** Tasks to begin with; those PROCESSING count as left by a dead process. */
  readonly tasks?: ReadonlyArray<VenomTask>
}

/** Keeps every promise but one: it is as durable as the process. */
export const layer = (options: MemoryOptions = {}): Layer.Layer<StateRepository> =>
  Layer.effect(
    StateRepository,
    Effect.gen(function* () {
      const limit = options.maxPending ?? Number.MAX_SAFE_INTEGER
      const table = new TaskTable()
      for (const task of options.tasks ?? []) table.set(task)
      const orphans = (options.tasks ?? []).filter(({ status }) => status === "PROCESSING")
      const hints = yield* PubSub.sliding<void>({ capacity: 1, replay: 1 })
      const ends = yield* PubSub.sliding<void>({ capacity: 1, replay: 1 })

      const put = (task: VenomTask): void => {
        table.set(task)
        if (task.status === "PENDING") PubSub.publishUnsafe(hints, undefined)
        if (isFinished(task)) PubSub.publishUnsafe(ends, undefined)
      }

      const change = (
        id: TaskId,
        transition: Transition
      ): Result.Result<VenomTask, TaskNotFound | IllegalTransition> => {
        const task = table.get(id)
        if (task === undefined) return Result.fail(new TaskNotFound({ taskId: id }))
        const changed = transition(task)
        if (Result.isSuccess(changed)) put(changed.success)
        return changed
      }

      const settle = ({ claimed, transition }: Settlement) => change(claimed.id, Lifecycle.heldBy(claimed, transition))

      return StateRepository.of({
        insert: (tasks) =>
          Effect.suspend(() => {
            if (table.unfinished + tasks.length > limit) return Effect.fail(new QueueFull({ limit }))
            for (const task of tasks) put(task)
            return Effect.void
          }),
        update: (id, transition) => Effect.suspend(() => Effect.fromResult(change(id, transition))),
        claim: ({ limit, now }) =>
          Effect.sync(() => {
            const claim = Lifecycle.claim(now)
            return successes(table.takeDue(now, limit, () => true).map(({ id }) => change(id, claim)))
          }),
        settle: (settlements) => Effect.sync(() => settlements.map(settle)),
        rescue: (transition) =>
          // rescued once, an orphan is held by that claim no more
          Effect.sync(() => successes(orphans.map((claimed) => settle({ claimed, transition })))),
        prune: ({ finishedBy, keep, limit }) =>
          Effect.sync(() => {
            const gone = table.takeFinished(finishedBy, table.finished - keep, limit, () => true)
            for (const { id } of gone) table.delete(id)
            return { count: gone.length, firstFinished: table.firstFinished() }
          }),
        get: (id) => Effect.sync(() => Option.fromUndefinedOr(table.get(id))),
        page: (filter, request) => table.page(filter, request),
        counts: Effect.sync(() => table.counts),
        nextDue: Effect.sync(() => table.nextDue()),
        wake: Stream.fromPubSub(hints),
        finished: Stream.fromPubSub(ends),
        health: Effect.succeed({ _tag: "Writable" })
      })
    })
  )

const successes = <A, E>(results: ReadonlyArray<Result.Result<A, E>>): Array<A> =>
  results.flatMap((result) => (Result.isSuccess(result) ? [result.success] : []))
