import { Clock, Effect, type FileSystem, Result } from "effect"
import type { PlatformError } from "effect/PlatformError"
import type { VenomTask } from "../../domain/Task.ts"
import type { Entry } from "../../ports/Entry.ts"
import type * as Disk from "./Disk.ts"
import * as Dump from "./Dump.ts"
import { Lock } from "./Lock.ts"
import * as Recovery from "./Recovery.ts"
import * as Segment from "./Segment.ts"
import * as SetAside from "./SetAside.ts"

/** What a data directory holds, and whether `venom serve` would start on it. */
export interface Findings {
  readonly tasks: ReadonlyArray<VenomTask>
  readonly entries: ReadonlyArray<Entry>
  readonly records: number
  readonly segments: number
  readonly damage: ReadonlyArray<Recovery.Damage>
  /** Why a start is refused; then `tasks` are those that a repair would keep. */
  readonly refusal: string | undefined
}

const snapshotOf = ({ entries, sequence, tasks }: Recovery.Found): Dump.Snapshot => ({
  sequence,
  tasks: Array.from(tasks.values()),
  entries: Array.from(entries.values())
})

const mostTries = 5

/** A service that runs replaces its files while they are read. */
const again = <A>(read: Effect.Effect<A, Disk.DataDirectoryError | PlatformError>) =>
  Effect.retry(read, { times: 5, while: (error) => error._tag === "PlatformError" && error.reason._tag === "NotFound" })

type Examined = Effect.Effect<Findings, Disk.DataDirectoryError | PlatformError>

const findings = (found: Recovery.Found, refusal: string | undefined): Findings => ({
  tasks: Array.from(found.tasks.values()),
  entries: Array.from(found.entries.values()),
  records: found.records,
  segments: found.segments.length,
  damage: found.damage,
  refusal
})

/** Reads a data directory and changes nothing. A service may be running on it. */
export const examine = (fs: FileSystem.FileSystem, directory: string): Examined =>
  again(
    Effect.gen(function* () {
      const strict = yield* Effect.result(Recovery.read(fs, directory))
      if (Result.isSuccess(strict)) return findings(strict.success, undefined)
      if (strict.failure._tag === "PlatformError") return yield* strict.failure
      return findings(yield* Recovery.read(fs, directory, { salvage: true }), strict.failure.reason)
    })
  )

const newest = (fs: FileSystem.FileSystem, directory: string) =>
  Effect.orElseSucceed(Dump.sequenceOf(fs, `${directory}/${Dump.fileName}`), () => undefined)

/**
 * The whole state. Fails where a start is refused. A service may be running on it: what it acknowledged before this
 * begins is in it. Where it has put another dump in place meanwhile, and deleted what the one before needs, it is read
 * again.
 */
export const snapshot = (
  fs: FileSystem.FileSystem,
  directory: string
): Effect.Effect<Dump.Snapshot, Disk.DataDirectoryError | PlatformError> =>
  Effect.gen(function* () {
    for (let tries = 1; ; tries++) {
      const before = yield* newest(fs, directory)
      const found = yield* Effect.result(again(Recovery.read(fs, directory)))
      if (Result.isSuccess(found)) return snapshotOf(found.success)
      if (tries === mostTries || before === (yield* newest(fs, directory))) return yield* found.failure
    }
  })

/** The whole state as a dump has it, in parts. */
export const dump = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  directory: string
): Effect.fn.Return<Iterable<string>, Disk.DataDirectoryError | PlatformError> {
  return Dump.text(yield* snapshot(fs, directory), yield* Clock.currentTimeMillis)
})

/**
 * Makes a directory startable again: keeps all that can be read in a fresh dump and a fresh segment, and
 * what cannot be read under names that end in `.bad`. Takes the directory's lock.
 */
export const repair = (fs: FileSystem.FileSystem, directory: string): Examined =>
  Effect.scoped(
    Effect.gen(function* () {
      const hold = yield* Lock
      yield* hold(fs, directory)
      const before = yield* examine(fs, directory)
      const found = yield* Recovery.read(fs, directory, { salvage: true })
      yield* SetAside.damaged(fs, directory, found)
      yield* Dump.write(fs, directory, snapshotOf(found), yield* Clock.currentTimeMillis)
      const segment = yield* Effect.mapError(
        Segment.create(fs, directory, found.lastSegment + 1, found.sequence + 1),
        ({ error }) => error
      )
      yield* segment.close
      return before
    })
  )
