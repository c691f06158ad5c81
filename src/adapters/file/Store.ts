import { Clock, type Duration, Effect, Equal, Exit, type FileSystem, Option, Result, Scope } from "effect"
import type { PlatformError } from "effect/PlatformError"
import * as Flow from "../../domain/Flow.ts"
import { isFinished, type TaskId, type VenomTask } from "../../domain/Task.ts"
import type { Change } from "../../ports/StateRepository.ts"
import type { Recovered } from "../../ports/Storage.ts"
import { StartProgress } from "../../ports/StartProgress.ts"
import { TypeLimits } from "../../ports/TypeLimits.ts"
import * as Disk from "./Disk.ts"
import * as Dump from "./Dump.ts"
import * as FlowEntry from "./FlowEntry.ts"
import * as GroupCommit from "./GroupCommit.ts"
import * as Keeper from "./Keeper.ts"
import * as Lock from "./Lock.ts"
import { Overlay } from "./Overlay.ts"
import * as Recovery from "./Recovery.ts"
import type * as Room from "./Room.ts"
import * as Segment from "./Segment.ts"
import * as SetAside from "./SetAside.ts"

export interface Store {
  readonly overlay: Overlay
  readonly commit: GroupCommit.GroupCommit
  readonly room: Room.Room
  /** Tasks that a dead process has left PROCESSING. */
  readonly orphans: Map<TaskId, VenomTask>
  readonly recovered: Recovered
}

/** Tasks put in order before whoever asks meanwhile has a turn: some milliseconds. */
const inOneTurn = 1000

/** More are there when processes have died young, one after the other, or before they had deleted what was old. */
const mostSegments = 3

/**
 * Takes the directory, reads what is there, and goes on in a fresh segment after a fresh dump: what was
 * read from the page cache is on disk before anything is built upon it, and no torn byte ever stands
 * before a new record. Where there is a state and the disk takes no writes, it begins in trouble: what was
 * read can be read, and the rest is done when the disk is well. Closing the scope writes what is staged
 * and the last dump.
 */
export const open = Effect.fnUntraced(function* (options: {
  readonly fs: FileSystem.FileSystem
  readonly directory: string
  readonly fsync: GroupCommit.Fsync
  readonly dumpInterval: Duration.Duration
  readonly journalMaxBytes: number
  /** Called when tasks may have become claimable. */
  readonly onDue: () => void
  /** Called with all that has happened to tasks, when it is visible. */
  readonly onChanges: (changes: ReadonlyArray<Change>) => void
  /** Called when tasks have finished, or may have become deletable. */
  readonly onFinished: () => void
}): Effect.fn.Return<Store, Disk.DataDirectoryError | PlatformError, Scope.Scope> {
  const { directory, fs } = options
  const lock = yield* Lock.Lock
  const scope = yield* Effect.scope
  let held = Option.none<Disk.Identity>()
  let holding = yield* Scope.fork(scope)
  const hold = Effect.gen(function* () {
    const identity = Option.some(Disk.identityOf(yield* fs.stat(directory)))
    if (Equal.equals(held, identity)) return
    // what was held is gone, and its number may be another directory's by now
    yield* Scope.close(holding, Exit.void)
    held = Option.none()
    holding = yield* Scope.fork(scope)
    yield* Effect.provideService(lock(fs, directory), Scope.Scope, holding)
    held = identity
  })
  const makeDirectory = Disk.makeDirectory(fs, directory)
  const made = yield* Effect.result(makeDirectory)
  if (Result.isFailure(made) && !(Disk.isUnwell(made.failure) && (yield* fs.exists(directory)))) {
    return yield* made.failure
  }
  yield* hold

  const begun = yield* begin(fs, directory, Effect.fromResult(made))
  const { orphans, overlay, setAside } = begun
  const keepers: Array<Keeper.Keeper> = []
  const commit = yield* GroupCommit.make({
    overlay,
    segment: begun.segment,
    sequence: begun.sequence,
    trouble: begun.trouble,
    fsync: options.fsync,
    onCommit: ({ changes, entries, told }) => {
      for (const keeper of keepers) keeper.onCommit()
      options.onChanges(told)
      const hasFinished = changes.some(isFinished)
      const hasFreed = hasFinished && !Flow.isFree(overlay.table.flow)
      const hasChangedFlow = entries.some(({ name }) => name === FlowEntry.name)
      if (hasFreed || hasChangedFlow || changes.some(({ status }) => status === "PENDING")) options.onDue()
      if (hasFinished) options.onFinished()
    },
    onHealth: () => {
      for (const keeper of keepers) keeper.onHealth()
      // what was passed over on its way to the disk, and did not get there, may be claimed or deleted again
      options.onDue()
      options.onFinished()
    }
  })
  const keeper = yield* Keeper.make({
    ...options,
    overlay,
    commit,
    dumped: begun.dumped,
    previouslyDumped: begun.previouslyDumped,
    dumpAgain: begun.dumpAgain,
    segments: begun.segments,
    prepareDirectory: Effect.andThen(makeDirectory, Effect.andThen(hold, setAside))
  })
  keepers.push(keeper)
  // what cannot be deleted now is with the next dump
  if (begun.hasDumped) yield* Effect.ignore(keeper.deleteOldSegments)
  yield* Effect.addFinalizer(() =>
    commit.close.pipe(Effect.andThen(keeper.close), Effect.andThen(commit.segment().close))
  )

  return { overlay, commit, room: keeper.room, orphans, recovered: begun.recovered }
})

/**
 * Reads what is there and makes the fresh dump and segment. What was found is known in here alone: a closure
 * that lives as long as the writer would keep every task as it was then, also when it is long deleted.
 */
const begin = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  directory: string,
  made: Effect.Effect<void, PlatformError>
) {
  const began = yield* Clock.currentTimeMillis
  const { tell } = yield* StartProgress
  const found = yield* Recovery.read(fs, directory, {
    tell: (done, total) => tell({ doing: "recovering", done, total, unit: "records" })
  })
  yield* Effect.logInfo(
    `Recovered ${found.tasks.size} tasks from ${directory} (dump up to record ${found.dumped}, then ${found.records} records)`
  )
  const dumpPath = `${directory}/${Dump.fileName}`
  const hadDump = yield* fs.exists(dumpPath)
  const setAside = SetAside.damaged(fs, directory, found)
  const needsDump = found.records > 0 || found.damage.length > 0 || !hadDump || found.segments.length > mostSegments
  const number = found.lastSegment + 1
  const from = found.sequence + 1
  const fresh = yield* Effect.gen(function* () {
    yield* made
    yield* Effect.forEach([...Dump.temporaryFileNames, Keeper.probeFileName], (name) =>
      fs.remove(`${directory}/${name}`, { force: true })
    )
    yield* setAside
    // the dump comes first: a segment that names records to follow must not be found without the ones before
    if (needsDump) {
      const { sequence } = found
      const [tasks, entries] = [Array.from(found.tasks.values()), Array.from(found.entries.values())]
      yield* Dump.write(fs, directory, { sequence, tasks, entries }, yield* Clock.currentTimeMillis, (done) =>
        tell({ doing: "recovering: writing down", done, total: tasks.length, unit: "tasks" })
      )
    }
    return yield* Segment.create(fs, directory, number, from).pipe(Effect.mapError(({ error }) => error))
  }).pipe(Effect.result)
  const hasState = hadDump || found.lastSegment > 0
  if (Result.isFailure(fresh) && !(hasState && Disk.isUnwell(fresh.failure))) return yield* fresh.failure
  if (Result.isFailure(fresh)) {
    yield* Effect.logError(
      `Storage is not writable: ${Disk.describe(fresh.failure)}. What is there can be read; new tasks are refused`
    )
    // what is shown from now on the process before may have left to the system alone
    yield* Effect.forEach([dumpPath, ...found.segments.map(({ path }) => path)], (path) =>
      Effect.ignore(Disk.withFile(fs, path, { flag: "r" }, (file) => file.sync))
    )
  }

  const at = yield* Clock.currentTimeMillis
  const recovered: Recovered = {
    at,
    took: at - began,
    tasks: found.tasks.size,
    records: found.records,
    damagedBytes: found.damage.reduce((sum, { bytes }) => sum + bytes, 0)
  }
  const orphans = new Map<TaskId, VenomTask>()
  const overlay = new Overlay(found.entries.values(), yield* TypeLimits)
  let done = 0
  for (const task of found.tasks.values()) {
    overlay.begin(task)
    if (task.status === "PROCESSING") orphans.set(task.id, task)
    if (++done % inOneTurn !== 0) continue
    tell({ doing: "recovering: putting in order", done, total: found.tasks.size, unit: "tasks" })
    yield* Effect.yieldNow
  }
  yield* overlay.beginFlow
  return {
    overlay,
    orphans,
    recovered,
    segment: Result.getOrElse(fresh, () => Segment.unmade(directory, number, from)),
    trouble: Result.isFailure(fresh) ? Option.some(Disk.describe(fresh.failure)) : Option.none(),
    sequence: found.sequence,
    dumped: Result.isSuccess(fresh) ? found.sequence : found.dumped,
    previouslyDumped: found.dumped,
    hasDumped: Result.isSuccess(fresh) && needsDump,
    dumpAgain: found.records > 0 || found.damage.length > 0,
    segments: found.segments,
    setAside
  }
})
