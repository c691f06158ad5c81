import { Clock, Duration, Effect, type FileSystem, Latch, Option, type Scope, Semaphore } from "effect"
import type { PlatformError } from "effect/PlatformError"
import * as StoreMetrics from "../../ports/StoreMetrics.ts"
import * as Disk from "./Disk.ts"
import * as Dump from "./Dump.ts"
import type { GroupCommit } from "./GroupCommit.ts"
import type { Overlay } from "./Overlay.ts"
import type { SegmentFile } from "./Recovery.ts"
import * as Room from "./Room.ts"
import * as Segment from "./Segment.ts"

/** Dumping takes at most this share of the time, whatever forces it. */
const dumpShare = 0.05

/** Unless the segment grows to so many times the limit, or to the dump's size where that is more. */
const mostGrowth = 2

/** How often the disk is asked for its room while the journal grows, and while there is none. */
const measureEvery = "1 second"

/** How often a disk that refused is tried again. */
const repairEvery = "1 second"

/** A dump that could not be written is tried again after a second, then later and later, but not later than this. */
const longestRetry = Duration.seconds(10)

/** Bytes that a full disk must take again before new tasks are. */
const probeBytes = 64 * 1024

/** The state, and how much of the journal it covers. */
interface Snapshot extends Dump.Snapshot {
  readonly covers: number
}

export const probeFileName = "probe.tmp"

export interface Keeper {
  /** To be called after each batch. */
  readonly onCommit: () => void
  /** To be called when trouble begins or ends. */
  readonly onHealth: () => void
  readonly room: Room.Room
  /** Deletes the segments that the previous dump no longer needs. */
  readonly deleteOldSegments: Effect.Effect<void, PlatformError>
  /** Writes the last dump. */
  readonly close: Effect.Effect<void>
}

/**
 * Keeps the directory small and whole: dumps the state soon after a change, starts a new segment with
 * each dump, deletes the segments that the previous dump no longer needs, and leads the way back after
 * trouble.
 */
export const make = Effect.fnUntraced(function* (options: {
  readonly fs: FileSystem.FileSystem
  readonly directory: string
  readonly overlay: Overlay
  readonly commit: GroupCommit
  readonly dumpInterval: Duration.Duration
  readonly journalMaxBytes: number
  /** Sequence of the dump that is there, and of the one before. */
  readonly dumped: number
  readonly previouslyDumped: number
  /** Whether the previous dump and the journal are not sure to hold what the last dump does. */
  readonly dumpAgain: boolean
  /** Segments older than the one being written. */
  readonly segments: ReadonlyArray<SegmentFile>
  /** Makes the directory where it is missing, holds it, and sets aside what could not be read there. */
  readonly prepareDirectory: Effect.Effect<void, Disk.DataDirectoryError | PlatformError>
}): Effect.fn.Return<Keeper, never, Scope.Scope> {
  const { commit, directory, fs, overlay } = options
  const hasChanges = yield* Latch.make(false)
  const isLarge = yield* Latch.make(false)
  const isHuge = yield* Latch.make(false)
  const grows = yield* Latch.make(false)
  const inTrouble = yield* Latch.make(commit.health()._tag === "NotWritable")
  const dumping = yield* Semaphore.make(1)
  let dumped = options.dumped
  let previouslyDumped = options.previouslyDumped
  let segments: ReadonlyArray<SegmentFile> = options.segments
  let lastNumber = commit.segment().number
  let dumpSize = yield* fs.stat(`${directory}/${Dump.fileName}`).pipe(
    Effect.map(({ size }) => Number(size)),
    Effect.catch(() => Effect.succeed(0))
  )
  let dumpedTasks = overlay.table.size
  /** Bytes of the segments that were left; of these and of the current one the last dump covers so many. */
  let left = 0
  let covered = 0
  const journalSize = () => left + commit.segment().size()
  const context = yield* Effect.context()
  // the first one is an increase too
  StoreMetrics.errors.updateUnsafe(0, context)
  const measured = () => {
    StoreMetrics.dumpBytes.updateUnsafe(dumpSize, context)
    StoreMetrics.journalBytes.updateUnsafe(journalSize() - covered, context)
  }
  measured()
  // the journal holds what the next dump has more than the last one
  const room = yield* Room.make(directory, () => dumpSize + journalSize() - covered)
  yield* room.measure
  let sizeBefore = commit.segment().size()

  const onHealth = () => {
    if (commit.health()._tag === "NotWritable") inTrouble.openUnsafe()
  }
  const onCommit = () => {
    const size = commit.segment().size()
    room.spend(size - sizeBefore)
    sizeBefore = size
    StoreMetrics.journalBytes.updateUnsafe(journalSize() - covered, context)
    hasChanges.openUnsafe()
    grows.openUnsafe()
    if (size <= options.journalMaxBytes) return
    isLarge.openUnsafe()
    if (size > Math.max(mostGrowth * options.journalMaxBytes, dumpSize)) isHuge.openUnsafe()
  }

  const createSegment = Effect.suspend(() => {
    lastNumber++
    return Segment.create(fs, directory, lastNumber, commit.sequence() + 1)
  })

  const moveTo = (segment: Segment.Segment) => {
    segments = [...segments, commit.segment()]
    left += commit.segment().size()
    sizeBefore = segment.size()
    return commit.moveTo(segment)
  }

  const deleteOldSegments = Effect.gen(function* () {
    const upTo = (at: number) => segments[at + 1]?.from ?? commit.segment().from
    const covered = segments.filter((_, at) => upTo(at) <= previouslyDumped + 1)
    if (covered.length === 0) return
    yield* Effect.forEach(covered, ({ path }) => fs.remove(path, { force: true }), { discard: true })
    segments = segments.filter((segment) => !covered.includes(segment))
    yield* Disk.syncDirectory(fs, directory)
  })

  const writeDump = Effect.fnUntraced(function* (snapshot: Snapshot) {
    dumpSize = yield* Dump.write(fs, directory, snapshot, yield* Clock.currentTimeMillis)
    dumpedTasks = snapshot.tasks.length
    covered = snapshot.covers
    previouslyDumped = dumped
    dumped = snapshot.sequence
    measured()
    yield* deleteOldSegments
  })

  /** The state of this very moment, between two batches. */
  const snapshotNow = (): Snapshot => ({
    sequence: commit.sequence(),
    tasks: overlay.table.snapshot(),
    entries: overlay.entries.snapshot(),
    covers: journalSize()
  })

  /** Dumps that could not be written since the last one that could. */
  let failures = 0

  /** A new segment, and the state before it. */
  const rotate = commit.exclusively(
    Effect.gen(function* () {
      // a torn end in the middle of the journal would look like damage
      if (!(yield* commit.flush)) return Option.none()
      // each dump that fails would leave another one
      const isDue = failures === 0 || commit.segment().size() > options.journalMaxBytes
      if (isDue && commit.segment().from <= commit.sequence()) yield* moveTo(yield* createSegment)
      return Option.some(snapshotNow())
    }).pipe(
      Effect.catch(({ error, mayTurnUp }) =>
        Effect.andThen(
          mayTurnUp ? commit.distrust(`a new journal segment could not be made: ${Disk.describe(error)}`) : Effect.void,
          Effect.fail(error)
        )
      )
    )
  )

  /** What a dump takes at least: as much as the last one for each task. */
  const leastDump = () => dumpSize * Math.min(1, overlay.table.size / Math.max(1, dumpedTasks))

  const tellNotDumped = (reason: string) =>
    failures === 0 ? Effect.logWarning(`No dump could be written: ${reason}`) : Effect.void

  /** Whether the dump is written. */
  const dump = dumping
    .withPermits(1)(
      Effect.gen(function* () {
        hasChanges.closeUnsafe()
        isLarge.closeUnsafe()
        isHuge.closeUnsafe()
        yield* room.measure
        // it would take from the verdicts what is left, for nothing
        if (room.left() < leastDump()) {
          yield* tellNotDumped("there is less room on the disk than the last one takes")
          return false
        }
        const snapshot = yield* rotate
        if (Option.isSome(snapshot)) yield* writeDump(snapshot.value)
        return Option.isSome(snapshot)
      }).pipe(Effect.ensuring(room.measure))
    )
    .pipe(
      Effect.catchTag("PlatformError", (error) =>
        Effect.as(
          error.reason._tag === "NotFound"
            ? commit.exclusively(commit.distrust("the data directory is gone"))
            : tellNotDumped(Disk.describe(error)),
          false
        )
      ),
      Effect.tap((done) => {
        failures = done ? 0 : failures + 1
        if (!done) StoreMetrics.errors.updateUnsafe(1, context)
        return done ? Effect.void : hasChanges.open
      })
    )

  const dumpSoon = Effect.gen(function* () {
    yield* hasChanges.await
    const [took, done] = yield* Effect.timed(dump)
    const share = Duration.times(took, 1 / dumpShare - 1)
    const interval = Duration.subtract(options.dumpInterval, share)
    const retry = Duration.min(Duration.seconds(2 ** failures / 2), longestRetry)
    if (!done) return yield* Effect.sleep(Duration.max(Duration.max(share, options.dumpInterval), retry))
    yield* Effect.raceFirst(Effect.sleep(share), isHuge.await)
    yield* Effect.raceFirst(Effect.sleep(interval), isLarge.await)
  })

  const watchRoom = Effect.gen(function* () {
    yield* grows.await
    grows.closeUnsafe()
    // a dump that is being written takes room that it gives back
    yield* dumping.withPermits(1)(room.measure)
    if (Option.isSome(room.refusal())) grows.openUnsafe()
    yield* Effect.sleep(measureEvery)
  })

  /** A full disk whose journal ends well: see whether it takes bytes again. What was cut off is gone for good then. */
  const probe = Effect.gen(function* () {
    const path = `${directory}/${probeFileName}`
    yield* fs
      .writeFile(path, new Uint8Array(probeBytes), { mode: Disk.privateFile })
      .pipe(Effect.ensuring(Effect.ignore(fs.remove(path, { force: true }))))
    yield* Effect.tapError(commit.segment().sync, ({ reason }) => commit.distrust(reason))
  })

  const dumpAgain = Effect.forkIn(Effect.delay(hasChanges.open, options.dumpInterval), yield* Effect.scope)

  /**
   * A file that failed a sync is never trusted again: everything is written anew, and synced. The dump comes first:
   * were it lost with the directory, a segment alone would tell of a state that is missing. Until another one
   * follows, the previous dump and the journal may not have it all.
   */
  const writeAnew = Effect.gen(function* () {
    yield* options.prepareDirectory
    yield* writeDump(snapshotNow())
    yield* moveTo(yield* Effect.mapError(createSegment, ({ error }) => error))
    yield* dumpAgain
  })

  const tryRepair = dumping.withPermits(1)(
    commit
      .exclusively(
        Effect.gen(function* () {
          // a file whose directory is gone can be trusted and is of no use
          const isUsable = commit.isTrusted() && (yield* fs.exists(commit.segment().path))
          yield* isUsable ? probe : writeAnew
          inTrouble.closeUnsafe()
          yield* commit.resume
          yield* Effect.logInfo("Storage is writable again")
        })
      )
      .pipe(Effect.andThen(room.measure))
  )

  const repair = Effect.gen(function* () {
    yield* inTrouble.await
    yield* Effect.sleep(repairEvery)
    yield* tryRepair
  }).pipe(
    Effect.catch((error: PlatformError | Disk.DataDirectoryError | Segment.SegmentFailure) =>
      Effect.logDebug("Storage is not writable yet", error.message)
    )
  )

  // neither may end unseen: without them nothing is ever dumped, or storage never comes back
  const forEver = (step: Effect.Effect<void>) =>
    Effect.forkScoped(
      Effect.forever(
        Effect.catchDefect(step, (defect) =>
          Effect.andThen(Effect.logError("Keeping the journal met a defect", defect), Effect.sleep(repairEvery))
        )
      )
    )
  if (options.dumpAgain) yield* dumpAgain
  yield* forEver(dumpSoon)
  yield* forEver(repair)
  yield* forEver(watchRoom)

  return {
    onCommit,
    onHealth,
    room,
    deleteOldSegments,
    close: Effect.suspend(() => {
      // the last one is told again: nobody will try once more
      failures = 0
      return commit.sequence() === dumped ? Effect.void : Effect.asVoid(dump)
    })
  }
})
