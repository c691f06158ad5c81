import { Clock, Effect, Layer, Option, PubSub, Result, Stream } from "effect"
import * as Callback from "../../domain/Callback.ts"
import * as Flow from "../../domain/Flow.ts"
import type { Transition } from "../../domain/Lifecycle.ts"
import * as Lifecycle from "../../domain/Lifecycle.ts"
import { isFinished, type TaskId, type VenomTask } from "../../domain/Task.ts"
import * as TaskLog from "../../domain/TaskLog.ts"
import { type IllegalTransition, TaskNotFound } from "../../domain/TaskError.ts"
import { EntryChanged, type Put } from "../../ports/Entry.ts"
import { alone, type Change, type Settlement, StateRepository } from "../../ports/StateRepository.ts"
import { QueueFull } from "../../ports/StorageError.ts"
import { TypeLimits } from "../../ports/TypeLimits.ts"
import * as EntryTable from "./EntryTable.ts"
import { TaskTable } from "./TaskTable.ts"
import { UniqueKeys } from "./UniqueKeys.ts"

export interface MemoryOptions {
  /** Unfinished tasks held at most, and so many entries that expire. */
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
      const table = new TaskTable(yield* TypeLimits)
      let flow = Flow.free
      const unique = new UniqueKeys()
      const entries = new EntryTable.EntryTable()
      for (const task of options.tasks ?? []) {
        table.set(task)
        unique.note(task)
      }
      const orphans = (options.tasks ?? []).filter(({ status }) => status === "PROCESSING")
      const hints = yield* PubSub.sliding<void>({ capacity: 1, replay: 1 })
      const ends = yield* PubSub.sliding<void>({ capacity: 1, replay: 1 })

      const changes = yield* PubSub.unbounded<ReadonlyArray<Change>>()
      // a later life must not take up the positions of one before it
      let position = yield* Clock.currentTimeMillis
      const tell = (before: VenomTask | undefined, after: VenomTask | undefined): void => {
        PubSub.publishUnsafe(changes, [
          { position: ++position, before, after, lines: TaskLog.added(before, after), task: after }
        ])
      }

      const set = (task: VenomTask): VenomTask => {
        tell(table.get(task.id), task)
        table.set(task)
        unique.note(task)
        if (task.status === "PENDING" || (isFinished(task) && !Flow.isFree(table.flow)))
          PubSub.publishUnsafe(hints, undefined)
        if (isFinished(task)) PubSub.publishUnsafe(ends, undefined)
        return task
      }

      const decideOn = (
        id: TaskId,
        transition: Transition
      ): Result.Result<VenomTask, TaskNotFound | IllegalTransition> => {
        const task = table.get(id)
        if (task === undefined) return Result.fail(new TaskNotFound({ taskId: id }))
        const changed = transition(task)
        return Result.isSuccess(changed) && unique.isTaken(changed.success)
          ? Result.fail(Lifecycle.uniqueKeyTaken(task))
          : changed
      }

      const change = (id: TaskId, transition: Transition) => Result.map(decideOn(id, transition), set)

      const reopen = (id: TaskId, transition: Transition) =>
        Result.flatMap(decideOn(id, transition), (task) =>
          table.unfinished < limit
            ? Result.succeed(set(task))
            : Result.fail(new QueueFull({ limit, of: "unfinished tasks" }))
        )

      const settle = ({ claimed, transition }: Settlement) => change(claimed.id, Lifecycle.heldBy(claimed, transition))

      const take = (task: VenomTask): void => {
        tell(task, undefined)
        table.delete(task.id)
      }

      const decide = (put: Put) => EntryTable.decide(entries.get(put.name), put)

      return StateRepository.of({
        ...alone,
        insert: (tasks, put) =>
          Effect.suspend((): Effect.Effect<ReadonlyArray<VenomTask>, QueueFull | EntryChanged> => {
            const { fresh, made } = unique.withHolders(tasks, (id) => table.get(id))
            const entry = put === undefined ? undefined : decide(typeof put === "function" ? put(made) : put)
            if (entry instanceof EntryChanged) return Effect.fail(entry)
            if (table.unfinished + fresh.length > limit)
              return Effect.fail(new QueueFull({ limit, of: "unfinished tasks" }))
            if (entry !== undefined && entries.isOneTooMany(entry, limit)) {
              return Effect.fail(new QueueFull({ limit, of: "idempotency keys" }))
            }
            if (entry !== undefined) entries.set(entry)
            for (const task of fresh) set(task)
            return Effect.succeed(made)
          }),
        remove: (id, expected) =>
          Effect.suspend((): Effect.Effect<void, TaskNotFound | IllegalTransition> => {
            const task = table.get(id)
            if (task === undefined) return Effect.fail(new TaskNotFound({ taskId: id }))
            return Effect.fromResult(Result.map(Lifecycle.mayBeDeleted(task, expected), () => take(task)))
          }),
        put: (put) =>
          Effect.suspend(() => {
            const entry = decide(put)
            return entry instanceof EntryChanged ? Effect.fail(entry) : Effect.sync(() => entries.set(entry))
          }),
        entry: (name) => Effect.sync(() => Option.fromUndefinedOr(entries.get(name))),
        entries: (prefix) => Effect.sync(() => entries.startingWith(prefix)),
        expireEntries: ({ limit, now }) =>
          Effect.sync(() => {
            const expired = entries.takeExpired(now, limit)
            for (const { name } of expired) entries.set({ name, entry: undefined })
            return { count: expired.length, next: entries.nextExpiry() }
          }),
        flow: Effect.sync(() => flow),
        updateFlow: (decide) =>
          Effect.suspend(() => {
            const set = Effect.sync(() => {
              flow = decide(flow)
              table.flow = flow
              PubSub.publishUnsafe(hints, undefined)
              return flow
            })
            return table.knowingStarts(decide(flow), set)
          }),
        update: (id, transition) =>
          Effect.suspend(() => Effect.fromResult(change(id, Lifecycle.notReopening(transition)))),
        reopen: (id, transition) => Effect.suspend(() => Effect.fromResult(reopen(id, transition))),
        claim: ({ limit, now, types }) =>
          Effect.map(table.promote(now), () => {
            const claim = Lifecycle.claim(now)
            return successes(table.takeDue({ now, limit, types, free: () => true }).map(({ id }) => change(id, claim)))
          }),
        settle: (settlements) => Effect.sync(() => settlements.map(settle)),
        rescue: (transition) =>
          // rescued once, an orphan is held by that claim no more
          Effect.sync(() => successes(orphans.map((claimed) => settle({ claimed, transition })))),
        prune: ({ keep, keepOwed = false, limit, now, retention }) =>
          Effect.sync(() => {
            const tooMany = table.finished - keep
            const free = (task: VenomTask) => !(keepOwed && Callback.isOwed(task))
            const gone = table.takeFinished({ now, retention, tooMany, limit, free })
            for (const task of gone) take(task)
            return { count: gone.length, next: table.nextEnd(retention) }
          }),
        get: (id) => Effect.sync(() => Option.fromUndefinedOr(table.get(id))),
        page: (filter, request) => table.page(filter, request),
        counts: Effect.sync(() => table.counts),
        queueCounts: ({ now, types }) => Effect.sync(() => table.queueCounts(now, types)),
        standing: (id, now, types) =>
          Effect.suspend(() => {
            const task = table.get(id)
            return task === undefined ? Effect.fail(new TaskNotFound({ taskId: id })) : table.standing(task, now, types)
          }),
        overdue: ({ limit, now }) => Effect.sync(() => table.overdue(now, limit)),
        nextDue: (types) => Effect.sync(() => table.nextDue(types)),
        wake: Stream.fromPubSub(hints),
        finished: Stream.fromPubSub(ends),
        changes: Stream.fromPubSub(changes),
        position: Effect.sync(() => position),
        storage: Effect.succeed({ kind: "memory", files: [], recovered: undefined }),
        health: Effect.succeed({ _tag: "Writable" })
      })
    })
  )

const successes = <A, E>(results: ReadonlyArray<Result.Result<A, E>>): Array<A> =>
  results.flatMap((result) => (Result.isSuccess(result) ? [result.success] : []))
