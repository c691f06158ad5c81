import { Deferred, Duration, Effect, FileSystem, Layer, Option, PubSub, Result, Stream } from "effect"
import type { Transition } from "../../domain/Lifecycle.ts"
import * as Lifecycle from "../../domain/Lifecycle.ts"
import type { TaskId, VenomTask } from "../../domain/Task.ts"
import { type IllegalTransition, TaskNotFound } from "../../domain/TaskError.ts"
import { QueueFull, StateRepository, type StorageError, type StorageFull } from "../../ports/StateRepository.ts"
import { DataDirectoryError, describe } from "./Disk.ts"
import type { Fsync } from "./GroupCommit.ts"
import * as Store from "./Store.ts"

export interface FileOptions {
  /** Made if it is missing; held by one process at a time. */
  readonly directory: string
  /** Unfinished tasks held at most. */
  readonly maxPending?: number
  readonly fsync?: Fsync
  /** How soon after a change the dump shows it. */
  readonly dumpInterval?: Duration.Input
  /** Bytes of journal that force a dump. */
  readonly journalMaxBytes?: number
}

/** Memory is what is read, a journal with group commit is what survives; `docs/journal-format.md` tells the rest. */
export const layer = (options: FileOptions): Layer.Layer<StateRepository, DataDirectoryError, FileSystem.FileSystem> =>
  Layer.effect(
    StateRepository,
    Effect.gen(function* () {
      const limit = options.maxPending ?? Number.MAX_SAFE_INTEGER
      const hints = yield* PubSub.sliding<void>({ capacity: 1, replay: 1 })
      const ends = yield* PubSub.sliding<void>({ capacity: 1, replay: 1 })
      const { commit, orphans, overlay, room } = yield* Store.open({
        fs: yield* FileSystem.FileSystem,
        directory: options.directory,
        fsync: options.fsync ?? "always",
        dumpInterval: Duration.fromInputUnsafe(options.dumpInterval ?? "1 second"),
        journalMaxBytes: options.journalMaxBytes ?? 64 * 1024 * 1024,
        onDue: () => PubSub.publishUnsafe(hints, undefined),
        onFinished: () => PubSub.publishUnsafe(ends, undefined)
      }).pipe(
        Effect.catchTag("PlatformError", (error) =>
          Effect.fail(new DataDirectoryError({ directory: options.directory, reason: describe(error) }))
        )
      )
      const { table } = overlay

      /** Decides a change on the newest state and stages it, in one step. */
      const change = (
        id: TaskId,
        transition: Transition
      ): Result.Result<VenomTask, TaskNotFound | IllegalTransition> => {
        const before = overlay.newest(id)
        if (before === undefined) return Result.fail(new TaskNotFound({ taskId: id }))
        return Result.map(transition(before), (task) => {
          commit.stage("changes", before, task)
          return task
        })
      }

      /** Refuses, or runs a step that stages changes. */
      const unlessRefused = <A, E>(kind: "new" | "verdict", step: () => Effect.Effect<A, E>) =>
        Effect.suspend((): Effect.Effect<A, E | StorageError> => {
          const refusal = commit.refusal(kind)
          return Option.isSome(refusal) ? Effect.fail(refusal.value) : step()
        })

      const changeAll = (changes: ReadonlyArray<readonly [TaskId, Transition]>) => {
        const results = changes.map(([id, transition]) => change(id, transition))
        // refusals wait too: they tell of a state that may still be on its way to the disk
        return changes.some(([id]) => overlay.isPending(id))
          ? Effect.as(commit.settled, results)
          : Effect.succeed(results)
      }

      return StateRepository.of({
        insert: (tasks) =>
          unlessRefused("new", (): Effect.Effect<void, StorageError | QueueFull | StorageFull> => {
            const full = room.refusal()
            if (Option.isSome(full)) return Effect.fail(full.value)
            if (overlay.unfinished + tasks.length > limit) return Effect.fail(new QueueFull({ limit }))
            return tasks.length === 0 ? Effect.void : Deferred.await(commit.stageNew(tasks).synced)
          }),
        update: (id, transition) =>
          unlessRefused("verdict", () =>
            Effect.flatMap(changeAll([[id, transition]]), ([changed]) =>
              changed === undefined ? Effect.fail(new TaskNotFound({ taskId: id })) : Effect.fromResult(changed)
            )
          ),
        claim: ({ limit, now }) =>
          unlessRefused("new", () => {
            const claim = Lifecycle.claim(now)
            const claims = table
              .takeDue(now, limit, ({ id }) => !overlay.isPending(id))
              .flatMap((before) =>
                Result.match(claim(before), {
                  onSuccess: (task) => [{ task, batch: commit.stage("claims", before, task) }],
                  onFailure: () => []
                })
              )
            const tasks = claims.map(({ task }) => task)
            const batch = claims[0]?.batch
            return batch === undefined ? Effect.succeed(tasks) : Effect.as(Deferred.await(batch.written), tasks)
          }),
        settle: (settlements) =>
          unlessRefused("verdict", () =>
            changeAll(
              settlements.map(({ claimed, transition }) => [claimed.id, Lifecycle.heldBy(claimed, transition)] as const)
            )
          ),
        rescue: (transition) =>
          unlessRefused("verdict", () =>
            Effect.map(
              changeAll(Array.from(orphans, ([id, orphan]) => [id, Lifecycle.heldBy(orphan, transition)] as const)),
              (results) => {
                orphans.clear()
                return results.flatMap((result) => (Result.isSuccess(result) ? [result.success] : []))
              }
            )
          ),
        prune: ({ finishedBy, keep, limit }) =>
          unlessRefused("new", () => {
            const gone = table
              .takeFinished(finishedBy, overlay.finished - keep, limit, ({ id }) => !overlay.isPending(id))
              .map(({ id }) => id)
            const done = gone.length === 0 ? Effect.void : Deferred.await(commit.stageRemoval(gone).synced)
            return Effect.map(done, () => ({ count: gone.length, firstFinished: table.firstFinished() }))
          }),
        get: (id) => Effect.sync(() => Option.fromUndefinedOr(table.get(id))),
        page: (filter, request) => table.page(filter, request),
        counts: Effect.sync(() => table.counts),
        nextDue: Effect.sync(() => table.nextDue()),
        wake: Stream.fromPubSub(hints),
        finished: Stream.fromPubSub(ends),
        health: Effect.sync(() => {
          const health = commit.health()
          return Option.match(health._tag === "Writable" ? room.refusal() : Option.none(), {
            onNone: () => health,
            onSome: ({ reason }) => ({ _tag: "Full", reason })
          })
        })
      })
    })
  )
