import { Effect, Layer, Option, PubSub, Result, Stream } from "effect"
import type { Transition } from "../../domain/Lifecycle.ts"
import * as Lifecycle from "../../domain/Lifecycle.ts"
import type { TaskId, VenomTask } from "../../domain/Task.ts"
import { type IllegalTransition, TaskNotFound } from "../../domain/TaskError.ts"
import { QueueFull, StateRepository } from "../../ports/StateRepository.ts"
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
      const orphans = new Set((options.tasks ?? []).filter((task) => task.status === "PROCESSING").map(({ id }) => id))
      const hints = yield* PubSub.sliding<void>({ capacity: 1, replay: 1 })
      const hint = Effect.sync(() => PubSub.publishUnsafe(hints, undefined))

      const change = (
        id: TaskId,
        transition: Transition
      ): Result.Result<VenomTask, TaskNotFound | IllegalTransition> => {
        const task = table.get(id)
        if (task === undefined) return Result.fail(new TaskNotFound({ taskId: id }))
        const changed = transition(task)
        if (Result.isSuccess(changed)) table.set(changed.success)
        return changed
      }

      return StateRepository.of({
        insert: (tasks) =>
          Effect.suspend(() => {
            if (table.unfinished + tasks.length > limit) return Effect.fail(new QueueFull({ limit }))
            for (const task of tasks) table.set(task)
            return hint
          }),
        update: (id, transition) =>
          Effect.suspend(() => Effect.tap(Effect.fromResult(change(id, transition)), hint)),
        claim: ({ limit, now }) =>
          Effect.sync(() => {
            const claim = Lifecycle.claim(now)
            return table
              .takeDue(now, limit, () => true)
              .flatMap(({ id }) => Result.match(change(id, claim), { onSuccess: (task) => [task], onFailure: () => [] }))
          }),
        settle: (settlements) =>
          Effect.tap(
            Effect.sync(() =>
              settlements.map(({ claimed, transition }) => change(claimed.id, Lifecycle.heldBy(claimed, transition)))
            ),
            hint
          ),
        rescue: (transition) =>
          Effect.tap(
            Effect.sync(() => {
              const rescued = [...orphans].flatMap((id) =>
                Result.match(change(id, transition), { onSuccess: (task) => [task], onFailure: () => [] })
              )
              orphans.clear()
              return rescued
            }),
            hint
          ),
        get: (id) => Effect.sync(() => Option.fromUndefinedOr(table.get(id))),
        page: (filter, request) => table.page(filter, request),
        counts: Effect.sync(() => table.counts),
        nextDue: Effect.sync(() => table.nextDue()),
        wake: Stream.fromPubSub(hints),
        health: Effect.succeed({ _tag: "Writable" })
      })
    })
  )
