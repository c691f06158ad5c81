import { Clock, type Duration, Effect, Equal, type FileSystem, Option, Scope } from "effect"
import type { PlatformError } from "effect/PlatformError"
import type { TaskId } from "../../domain/Task.ts"
import * as Disk from "./Disk.ts"
import * as Dump from "./Dump.ts"
import * as GroupCommit from "./GroupCommit.ts"
import * as Keeper from "./Keeper.ts"
import * as Lock from "./Lock.ts"
import { Overlay } from "./Overlay.ts"
import * as Recovery from "./Recovery.ts"
import * as Segment from "./Segment.ts"
import * as SetAside from "./SetAside.ts"

export interface Store {
  readonly overlay: Overlay
  readonly commit: GroupCommit.GroupCommit
  /** Tasks that a dead process has left PROCESSING. */
  readonly orphans: Set<TaskId>
}

/**
 * Takes the directory, reads what is there, and goes on in a fresh segment after a fresh dump: what was
 * read from the page cache is on disk before anything is built upon it, and no torn byte ever stands
 * before a new record. Closing the scope writes what is staged and the last dump.
 */
export const open = Effect.fnUntraced(function* (options: {
  readonly fs: FileSystem.FileSystem
  readonly directory: string
  readonly fsync: GroupCommit.Fsync
  readonly dumpInterval: Duration.Duration
  readonly journalMaxBytes: number
  /** Called when tasks may have become claimable. */
  readonly onDue: () => void
}): Effect.fn.Return<Store, Disk.DataDirectoryError | PlatformError, Scope.Scope> {
  const { directory, fs } = options
  const lock = yield* Lock.Lock
  const scope = yield* Effect.scope
  let held = Option.none<bigint>()
  const holdDirectory = Effect.gen(function* () {
    yield* Disk.makeDirectory(fs, directory)
    const { ino } = yield* fs.stat(directory)
    if (Option.isSome(held) && Equal.equals(held, ino)) return
    yield* Effect.provideService(lock(fs, directory), Scope.Scope, scope)
    held = ino
  })
  yield* holdDirectory
  yield* Effect.forEach([...Dump.temporaryFileNames, Keeper.probeFileName], (name) =>
    fs.remove(`${directory}/${name}`, { force: true })
  )

  const found = yield* Recovery.read(fs, directory)
  yield* SetAside.damaged(fs, directory, found)
  yield* Effect.logInfo(
    `Recovered ${found.tasks.size} tasks from ${directory} (dump up to record ${found.dumped}, then ${found.records} records)`
  )

  // the dump comes first: a segment that names records to follow must not be found without the ones before
  const needsDump = found.records > 0 || found.damage.length > 0 || !(yield* fs.exists(`${directory}/${Dump.fileName}`))
  if (needsDump) {
    const tasks = Array.from(found.tasks.values())
    yield* Dump.write(fs, directory, { sequence: found.sequence, tasks }, yield* Clock.currentTimeMillis)
  }
  const segment = yield* Segment.create(fs, directory, found.lastSegment + 1, found.sequence + 1).pipe(
    Effect.mapError(({ error }) => error)
  )

  const overlay = new Overlay(found.tasks.values())
  const keepers: Array<Keeper.Keeper> = []
  const commit = yield* GroupCommit.make({
    overlay,
    segment,
    sequence: found.sequence,
    fsync: options.fsync,
    onCommit: (changes) => {
      for (const keeper of keepers) keeper.onCommit()
      if (changes.some(({ status }) => status === "PENDING")) options.onDue()
    },
    onHealth: () => {
      for (const keeper of keepers) keeper.onHealth()
      options.onDue()
    }
  })
  const keeper = yield* Keeper.make({
    ...options,
    overlay,
    commit,
    dumped: found.sequence,
    previouslyDumped: found.dumped,
    segments: found.segments,
    holdDirectory
  })
  keepers.push(keeper)
  // a process that dies young would leave one more each time; what cannot be deleted now is with the next dump
  if (needsDump) yield* Effect.ignore(keeper.deleteOldSegments)
  yield* Effect.addFinalizer(() =>
    commit.close.pipe(Effect.andThen(keeper.close), Effect.andThen(commit.segment().close))
  )

  const orphans = new Set<TaskId>()
  for (const task of found.tasks.values()) if (task.status === "PROCESSING") orphans.add(task.id)
  return { overlay, commit, orphans }
})
