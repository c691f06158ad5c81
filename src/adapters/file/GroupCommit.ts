import { Clock, Deferred, Effect, Exit, Latch, Option, type Scope, Semaphore } from "effect"
import type { TaskId, VenomTask } from "../../domain/Task.ts"
import * as TaskLog from "../../domain/TaskLog.ts"
import type { Change } from "../../ports/StateRepository.ts"
import type { StorageHealth } from "../../ports/Storage.ts"
import { StorageError } from "../../ports/StorageError.ts"
import * as StoreMetrics from "../../ports/StoreMetrics.ts"
import type { EntryChange } from "../memory/EntryTable.ts"
import type { Overlay } from "./Overlay.ts"
import * as Record from "./Record.ts"
import { type Segment, SegmentFailure } from "./Segment.ts"

/** Changes that reach the disk together. */
export interface Batch {
  readonly lines: Array<string>
  /** Visible once written: claims. */
  readonly claims: Array<VenomTask>
  /** Visible once synced: all else. */
  readonly changes: Array<VenomTask>
  /** Readable until synced. */
  readonly removals: Array<TaskId>
  readonly entries: Array<EntryChange>
  /** All that happens to tasks in it, in its order. */
  readonly told: Array<Change>
  readonly written: Deferred.Deferred<void, StorageError>
  readonly synced: Deferred.Deferred<void, StorageError>
}

const emptyBatch = (): Batch => ({
  lines: [],
  claims: [],
  changes: [],
  removals: [],
  entries: [],
  told: [],
  written: Deferred.makeUnsafe(),
  synced: Deferred.makeUnsafe()
})

/** More than one record can change: positions of changes are those of their records, times this. */
const changesInRecord = 4096

/**
 * So many records may have been told and not be synced. A power failure may take them, and the next start gives their
 * numbers again: it leaps over so many, so that no position is told twice.
 */
const mostUnsynced = 4096

export type Fsync = "always" | "interval"

/** With `interval`, how long what was acknowledged may still be unsynced. */
const syncEvery = "100 millis"

type Trouble = { readonly reason: string; readonly since: number; readonly trusted: boolean }

/**
 * The one writer of the journal. While a batch is written and synced the next one fills: all that arrives
 * during one sync shares the next. A failure fails the batch, and the one that was decided on top of it.
 */
export interface GroupCommit {
  /** Puts new tasks, and changed entries with them, into the open batch, in this very step. */
  readonly stageNew: (tasks: ReadonlyArray<VenomTask>, entries: ReadonlyArray<EntryChange>) => Batch
  /** Puts a decided change into the open batch, in this very step. */
  readonly stage: (kind: "claims" | "changes", before: VenomTask, after: VenomTask) => Batch
  /** Puts the end of finished tasks into the open batch, in this very step. */
  readonly stageRemoval: (ids: ReadonlyArray<TaskId>) => Batch
  /** Returns when all that is staged now is durable, and fails when it will not be. */
  readonly settled: Effect.Effect<void, StorageError>
  /** Why nothing new may be staged; verdicts may be while the file itself can still be trusted. */
  readonly refusal: (kind: "new" | "verdict") => Option.Option<StorageError>
  readonly health: () => StorageHealth
  /** Whether the writer's file ends well, though the disk refused to write on. */
  readonly isTrusted: () => boolean
  /** The last record written, or that may have been. */
  readonly sequence: () => number
  /** That of the last change, or the highest that it may have; no later one has a lower, in later lives either. */
  readonly position: () => number
  readonly segment: () => Segment
  /** Syncs what is only written; false when that failed, which is trouble. Only inside `exclusively`. */
  readonly flush: Effect.Effect<boolean>
  /** Goes on in a new segment, that continues after `sequence`. Only inside `exclusively`. */
  readonly moveTo: (segment: Segment) => Effect.Effect<void>
  /** Begins trouble: what follows the last sync is in doubt. Only inside `exclusively`. */
  readonly distrust: (reason: string) => Effect.Effect<void>
  /** Trouble is over. Only inside `exclusively`. */
  readonly resume: Effect.Effect<void>
  /** Runs between two batches. */
  readonly exclusively: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Ends the writer with what is staged written; refuses everything from then on. */
  readonly close: Effect.Effect<void>
}

export const make = Effect.fnUntraced(function* (options: {
  readonly overlay: Overlay
  readonly segment: Segment
  readonly sequence: number
  /** Why nothing can be written to the segment, where it begins so. */
  readonly trouble: Option.Option<string>
  readonly fsync: Fsync
  /** Called after a batch, when all of it is visible. */
  readonly onCommit: (batch: Batch) => void
  /** Called when trouble begins and when it ends. */
  readonly onHealth: () => void
}): Effect.fn.Return<GroupCommit, never, Scope.Scope> {
  const { fsync, onCommit, onHealth, overlay } = options
  const clock = yield* Clock.Clock
  const context = yield* Effect.context()
  const work = yield* Latch.make(false)
  const turn = yield* Semaphore.make(1)
  let segment = options.segment
  /** No earlier start has found this segment's number free. */
  const leap = segment.number * mostUnsynced
  let batch = emptyBatch()
  /** The batch before it, which may be on its way to the disk. */
  let underWay = emptyBatch()
  /** The last record staged, written, synced. */
  let staged = options.sequence
  let written = options.sequence
  let synced = options.sequence
  /** The states that a task has left since it was last sure to be on disk. */
  const left = new Map<TaskId, Array<VenomTask>>()
  let trouble: Trouble | undefined = Option.getOrUndefined(
    Option.map(options.trouble, (reason) => ({ reason, trusted: false, since: clock.currentTimeMillisUnsafe() }))
  )
  let closed = false

  /** A record that cannot be made must not leave a gap in the sequence. */
  const put = (line: string) => {
    batch.lines.push(line)
    staged++
  }

  const tell = (before: VenomTask | undefined, after: VenomTask | undefined, index = 0): void => {
    batch.told.push({
      position: (leap + staged) * changesInRecord + index,
      before,
      after,
      lines: TaskLog.added(before, after),
      task: after
    })
  }

  const stageNew: GroupCommit["stageNew"] = (tasks, entries) => {
    put(Record.insert(staged + 1, tasks, entries))
    for (const [index, task] of tasks.entries()) {
      batch.changes.push(task)
      overlay.stageNew(task)
      tell(undefined, task, index)
    }
    for (const entry of entries) {
      batch.entries.push(entry)
      overlay.stageEntry(entry)
    }
    work.openUnsafe()
    return batch
  }

  const stage: GroupCommit["stage"] = (kind, before, after) => {
    const states = [...(left.get(after.id) ?? []), before]
    put(Record.change(staged + 1, states, after))
    left.set(after.id, states)
    batch[kind].push(after)
    overlay.stage(after)
    tell(before, after)
    work.openUnsafe()
    return batch
  }

  const stageRemoval: GroupCommit["stageRemoval"] = (ids) => {
    put(Record.removal(staged + 1, ids))
    for (const [index, id] of ids.entries()) {
      batch.removals.push(id)
      tell(overlay.newest(id), undefined, index)
      overlay.stageRemoval(id)
    }
    work.openUnsafe()
    return batch
  }

  /** To be called when all that was written is on disk. */
  const forgetLeft = () => {
    for (const id of left.keys()) if (!overlay.isPending(id)) left.delete(id)
  }

  const refusal: GroupCommit["refusal"] = (kind) => {
    if (closed) return Option.some(new StorageError({ reason: "the repository is closed" }))
    if (trouble === undefined || (kind === "verdict" && trouble.trusted)) return Option.none()
    return Option.some(new StorageError({ reason: trouble.reason }))
  }

  const settleBatch = (done: Batch, exit: Exit.Exit<void, StorageError>) => {
    Deferred.doneUnsafe(done.written, exit)
    Deferred.doneUnsafe(done.synced, exit)
  }

  /** Nothing after the last good record has happened: neither this batch nor what was decided upon it. */
  const giveUp = (failed: Batch, failure: SegmentFailure) =>
    Effect.suspend(() => {
      const { reason, trusted } = failure
      StoreMetrics.errors.updateUnsafe(1, context)
      const later = batch
      batch = emptyBatch()
      // a number that may stand in a doubtful record is never given again: the dump that follows covers it
      if (trusted) staged = written
      else written = staged
      const isNew = trouble === undefined
      trouble = { reason, trusted, since: trouble?.since ?? clock.currentTimeMillisUnsafe() }
      overlay.drop()
      const refuse = Effect.sync(() => {
        const refused = Exit.fail(new StorageError({ reason }))
        settleBatch(failed, refused)
        settleBatch(later, refused)
        onHealth()
      })
      const tell = isNew
        ? Effect.logError(`Storage is not writable: ${reason}. New tasks are refused until it is`)
        : Effect.void
      // should the process die before storage is back, what is refused here must not be found again
      const takeBack = trusted || failed.lines.length === 0 ? Effect.void : segment.takeBack
      return Effect.andThen(takeBack, Effect.andThen(refuse, tell))
    })

  const commit = (current: Batch, last: number) =>
    Effect.gen(function* () {
      const begun = clock.currentTimeNanosUnsafe()
      yield* segment.append(current.lines)
      written = last
      for (const task of current.claims) overlay.reveal(task)
      Deferred.doneUnsafe(current.written, Exit.void)
      const mustBeSafe = current.changes.length + current.removals.length + current.entries.length > 0
      if ((fsync === "always" && mustBeSafe) || last - synced > mostUnsynced) {
        yield* segment.sync
        synced = last
      }
      for (const task of current.changes) overlay.reveal(task)
      for (const id of current.removals) overlay.remove(id)
      for (const entry of current.entries) overlay.revealEntry(entry)
      if (synced === last) forgetLeft()
      onCommit(current)
      Deferred.doneUnsafe(current.synced, Exit.void)
      StoreMetrics.batchRecords.updateUnsafe(current.lines.length, context)
      if (synced === last)
        StoreMetrics.commitSeconds.updateUnsafe(Number(clock.currentTimeNanosUnsafe() - begun) / 1e9, context)
    }).pipe(
      Effect.catch((failure) => giveUp(current, failure)),
      Effect.catchCause((cause) =>
        Effect.andThen(
          Effect.logError("The journal's writer met a defect", cause),
          giveUp(current, new SegmentFailure({ reason: "a defect in the journal's writer", trusted: false }))
        )
      )
    )

  const writeNext = turn.withPermits(1)(
    Effect.suspend(() => {
      work.closeUnsafe()
      if (batch.lines.length === 0) return Effect.void
      underWay = batch
      batch = emptyBatch()
      return commit(underWay, staged)
    })
  )

  const flush = Effect.suspend(() => {
    if (trouble !== undefined) return Effect.succeed(false)
    if (synced === written) return Effect.succeed(true)
    return segment.sync.pipe(
      Effect.andThen(
        Effect.sync(() => {
          synced = written
          forgetLeft()
          return true
        })
      ),
      Effect.catch((failure) => Effect.as(giveUp(emptyBatch(), failure), false))
    )
  })

  // opening the latch runs a waiting fiber at once: it lets the step that staged a change stage the others first
  const awaitWork = Effect.andThen(work.await, Effect.yieldNow)
  // waiting may be interrupted, writing never: an interrupted write goes on in the kernel
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(awaitWork, Effect.uninterruptible(writeNext))))
  if (fsync === "interval") {
    const flushNow = Effect.uninterruptible(turn.withPermits(1)(flush))
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(syncEvery), flushNow)))
  }

  return {
    stageNew,
    stage,
    stageRemoval,
    settled: Effect.suspend(() => Deferred.await((batch.lines.length > 0 ? batch : underWay).synced)),
    refusal,
    health: () =>
      trouble === undefined
        ? { _tag: "Writable" }
        : { _tag: "NotWritable", reason: trouble.reason, since: trouble.since },
    isTrusted: () => trouble?.trusted ?? true,
    sequence: () => written,
    position: () => (leap + written + 1) * changesInRecord - 1,
    segment: () => segment,
    flush,
    moveTo: (next) =>
      Effect.suspend(() => {
        const before = segment
        segment = next
        synced = written
        forgetLeft()
        return before.close
      }),
    distrust: (reason) => giveUp(emptyBatch(), new SegmentFailure({ reason, trusted: false })),
    resume: Effect.sync(() => {
      trouble = undefined
      onHealth()
    }),
    exclusively: (effect) => Effect.uninterruptible(turn.withPermits(1)(effect)),
    close: Effect.uninterruptible(
      Effect.andThen(
        writeNext,
        Effect.sync(() => {
          closed = true
        })
      )
    )
  }
})
