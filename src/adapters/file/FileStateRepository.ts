import { Deferred, Duration, Effect, FileSystem, Layer, Option, PubSub, Result, Stream } from "effect"
import * as Callback from "../../domain/Callback.ts"
import type { Transition } from "../../domain/Lifecycle.ts"
import * as Lifecycle from "../../domain/Lifecycle.ts"
import { type TaskId, type VenomTask } from "../../domain/Task.ts"
import { type IllegalTransition, TaskNotFound } from "../../domain/TaskError.ts"
import { EntryChanged, type Put } from "../../ports/Entry.ts"
import { alone, type Change, StateRepository } from "../../ports/StateRepository.ts"
import { QueueFull, StorageError, type StorageFull } from "../../ports/StorageError.ts"
import * as EntryTable from "../memory/EntryTable.ts"
import * as Disk from "./Disk.ts"
import * as FlowEntry from "./FlowEntry.ts"
import type * as GroupCommit from "./GroupCommit.ts"
import * as Store from "./Store.ts"

export interface FileOptions {
  /** Made if it is missing; held by one process at a time. */
  readonly directory: string
  /** Unfinished tasks held at most, and so many entries that expire. */
  readonly maxPending?: number
  readonly fsync?: GroupCommit.Fsync
  /** How soon after a change the dump shows it. */
  readonly dumpInterval?: Duration.Input
  /** Bytes of journal that force a dump. */
  readonly journalMaxBytes?: number
}

const none: ReadonlyArray<never> = []

/** Memory is what is read, a journal with group commit is what survives; `docs/journal-format.md` tells the rest. */
export const layer = (
  options: FileOptions
): Layer.Layer<StateRepository, Disk.DataDirectoryError, FileSystem.FileSystem> =>
  Layer.effect(
    StateRepository,
    Effect.gen(function* () {
      const limit = options.maxPending ?? Number.MAX_SAFE_INTEGER
      const hints = yield* PubSub.sliding<void>({ capacity: 1, replay: 1 })
      const ends = yield* PubSub.sliding<void>({ capacity: 1, replay: 1 })
      const changes = yield* PubSub.unbounded<ReadonlyArray<Change>>()
      let position = 0
      const fs = yield* FileSystem.FileSystem
      const { commit, orphans, overlay, recovered, room } = yield* Store.open({
        fs,
        directory: options.directory,
        fsync: options.fsync ?? "always",
        dumpInterval: Duration.fromInputUnsafe(options.dumpInterval ?? "1 second"),
        journalMaxBytes: options.journalMaxBytes ?? 64 * 1024 * 1024,
        onDue: () => PubSub.publishUnsafe(hints, undefined),
        onChanges: (told) => {
          position = told.at(-1)?.position ?? position
          PubSub.publishUnsafe(changes, told)
        },
        onFinished: () => PubSub.publishUnsafe(ends, undefined)
      }).pipe(
        Effect.catchTag("PlatformError", (error) =>
          Effect.fail(new Disk.DataDirectoryError({ directory: options.directory, reason: Disk.describe(error) }))
        )
      )
      const { table } = overlay
      position = commit.position()

      /** Decides a change on the newest state and stages it, in one step. */
      const change = <E = never>(
        id: TaskId,
        transition: Transition,
        refusal: () => Option.Option<E> = Option.none
      ): Result.Result<VenomTask, E | TaskNotFound | IllegalTransition> => {
        const before = overlay.newest(id)
        if (before === undefined) return Result.fail(new TaskNotFound({ taskId: id }))
        return Result.flatMap(transition(before), (task): Result.Result<VenomTask, E | IllegalTransition> => {
          if (overlay.unique.isTaken(task)) return Result.fail(Lifecycle.uniqueKeyTaken(before))
          const refused = refusal()
          if (Option.isSome(refused)) return Result.fail(refused.value)
          commit.stage("changes", before, task)
          return Result.succeed(task)
        })
      }

      /** Refuses, or runs a step that stages changes. */
      const unlessRefused = <A, E>(kind: "new" | "verdict", step: () => Effect.Effect<A, E>) =>
        Effect.suspend((): Effect.Effect<A, E | StorageError> => {
          const refusal = commit.refusal(kind)
          return Option.isSome(refusal) ? Effect.fail(refusal.value) : step()
        })

      const changeOne = <E>(id: TaskId, decide: () => Result.Result<VenomTask, E>) =>
        unlessRefused("verdict", () => {
          const changed = decide()
          // a refusal waits too
          return Effect.andThen(whenSettled([{ id }]), Effect.fromResult(changed))
        })

      const full = () =>
        overlay.unfinished < limit ? Option.none() : Option.some(new QueueFull({ limit, of: "unfinished tasks" }))

      const changeAll = (changes: ReadonlyArray<readonly [TaskId, Transition]>) => {
        const results = changes.map(([id, transition]) => change(id, transition))
        // refusals wait too
        return Effect.as(whenSettled(changes.map(([id]) => ({ id }))), results)
      }

      /** What is told of a state waits for it where it is still on its way to the disk. */
      const whenSettled = (tasks: ReadonlyArray<Pick<VenomTask, "id">>) =>
        tasks.some(({ id }) => overlay.isPending(id)) ? commit.settled : Effect.void

      const refuse = (changed: EntryChanged) =>
        Effect.andThen(overlay.isEntryPending(changed.name) ? commit.settled : Effect.void, Effect.fail(changed))

      const decide = (put: Put) => EntryTable.decide(overlay.entry(put.name), put)

      const remove: StateRepository["Service"]["remove"] = (id, expected) =>
        unlessRefused("verdict", () => {
          // what it will be is on its way to the disk
          if (overlay.isPending(id)) return Effect.andThen(Effect.ignore(commit.settled), remove(id, expected))
          const task = table.get(id)
          if (task === undefined) return Effect.fail(new TaskNotFound({ taskId: id }))
          const allowed = Lifecycle.mayBeDeleted(task, expected)
          if (Result.isFailure(allowed)) return Effect.fail(allowed.failure)
          return Deferred.await(commit.stageRemoval([id]).synced)
        })

      return StateRepository.of({
        ...alone,
        insert: (tasks, put) =>
          unlessRefused(
            "new",
            (): Effect.Effect<ReadonlyArray<VenomTask>, StorageError | QueueFull | StorageFull | EntryChanged> => {
              const full = room.refusal()
              if (Option.isSome(full)) return Effect.fail(full.value)
              const { fresh, made } = overlay.unique.withHolders(tasks, (id) => overlay.newest(id))
              const entry = put === undefined ? undefined : decide(typeof put === "function" ? put(made) : put)
              // whoever was before may still be on its way to the disk
              if (entry instanceof EntryChanged) return Effect.andThen(commit.settled, Effect.fail(entry))
              if (overlay.unfinished + fresh.length > limit)
                return Effect.fail(new QueueFull({ limit, of: "unfinished tasks" }))
              if (entry !== undefined && overlay.entries.isOneTooMany(entry, limit)) {
                return Effect.fail(new QueueFull({ limit, of: "idempotency keys" }))
              }
              if (fresh.length === 0 && entry === undefined) return Effect.as(whenSettled(made), made)
              const { synced } = commit.stageNew(fresh, entry === undefined ? none : [entry])
              return Effect.as(Deferred.await(synced), made)
            }
          ),
        remove,
        put: (put) =>
          unlessRefused("verdict", (): Effect.Effect<void, StorageError | EntryChanged> => {
            const entry = decide(put)
            return entry instanceof EntryChanged ? refuse(entry) : Deferred.await(commit.stageNew(none, [entry]).synced)
          }),
        entry: (name) => Effect.sync(() => Option.fromUndefinedOr(overlay.entries.get(name))),
        entries: (prefix) => Effect.sync(() => overlay.entries.startingWith(prefix)),
        expireEntries: ({ limit, now }) =>
          unlessRefused("verdict", () => {
            const expired = overlay.entries.takeExpired(now, limit)
            const gone = expired.map(({ name }) => ({ name, entry: undefined }))
            const done = gone.length === 0 ? Effect.void : Deferred.await(commit.stageNew(none, gone).synced)
            return Effect.map(done, () => ({ count: gone.length, next: overlay.entries.nextExpiry() }))
          }),
        update: (id, transition) => changeOne(id, () => change(id, Lifecycle.notReopening(transition))),
        reopen: (id, transition) => changeOne(id, () => change(id, transition, full)),
        claim: ({ limit, now, types }) =>
          Effect.andThen(
            table.promote(now),
            unlessRefused("new", () => {
              const claim = Lifecycle.claim(now)
              const claims = table
                .takeDue({ now, limit, types, free: ({ id }) => !overlay.isPending(id) })
                .flatMap((before) =>
                  Result.match(claim(before), {
                    onSuccess: (task) => [{ task, batch: commit.stage("claims", before, task) }],
                    onFailure: () => []
                  })
                )
              const tasks = claims.map(({ task }) => task)
              const batch = claims[0]?.batch
              return batch === undefined ? Effect.succeed(tasks) : Effect.as(Deferred.await(batch.written), tasks)
            })
          ),
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
        flow: Effect.sync(() => overlay.flow),
        updateFlow: (decide) =>
          Effect.suspend(() => {
            const newest = () => overlay.entry(FlowEntry.name)
            const set = unlessRefused("verdict", () => {
              const before = newest()
              const flow = decide(FlowEntry.read(before))
              return Effect.as(Deferred.await(commit.stageNew(none, [FlowEntry.change(flow, before)]).synced), flow)
            })
            return table.knowingStarts(decide(FlowEntry.read(newest())), set)
          }),
        prune: ({ keep, keepOwed = false, limit, now, retention }) =>
          unlessRefused("new", () => {
            const tooMany = overlay.finished - keep
            const free = (task: VenomTask) => !overlay.isPending(task.id) && !(keepOwed && Callback.isOwed(task))
            const gone = table.takeFinished({ now, retention, tooMany, limit, free }).map(({ id }) => id)
            const done = gone.length === 0 ? Effect.void : Deferred.await(commit.stageRemoval(gone).synced)
            return Effect.map(done, () => ({ count: gone.length, next: table.nextEnd(retention) }))
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
        storage: Disk.sizes(fs, options.directory).pipe(
          Effect.map((files) => ({ kind: "file", files, recovered })),
          Effect.mapError((cause) => new StorageError({ reason: Disk.describe(cause), cause }))
        ),
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
