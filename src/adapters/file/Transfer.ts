import { Clock, Effect, type FileSystem, Option, Predicate, Result, Schema } from "effect"
import type { PlatformError } from "effect/PlatformError"
import { createHash } from "node:crypto"
import { crc32 } from "node:zlib"
import { fromWire } from "../../domain/TaskJson.ts"
import * as Disk from "./Disk.ts"
import * as Doctor from "./Doctor.ts"
import * as Dump from "./Dump.ts"
import * as Lines from "./Lines.ts"
import { Lock } from "./Lock.ts"
import * as Record from "./Record.ts"
import * as Segment from "./Segment.ts"

/** What has been carried from one place to another. */
export interface Carried {
  readonly tasks: number
  readonly entries: number
  readonly bytes: number
  readonly sha256: string
}

/** How far a carrying is, told while it runs. */
export interface Step {
  readonly what: string
  readonly done: number
  readonly total: number
}
export type Tell = (step: Step) => void

/** All that is kept. */
export type State = Omit<Dump.Snapshot, "sequence">

export type Unfit = Disk.DataDirectoryError | ExportFileError

const newline = Buffer.from("\n")

/** The file of an export cannot be written, or is none. */
export class ExportFileError extends Schema.TaggedError<ExportFileError>()("ExportFileError", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The export ${this.path} cannot be used: ${this.reason}`
  }
}

const unfit = (path: string, reason: string) => new ExportFileError({ path, reason })
const unfitDirectory = (directory: string, reason: string) => new Disk.DataDirectoryError({ directory, reason })

/** Reads an exported file to its end, a line at a time, and fails where anything in it is not as it was written. */
const checked = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  path: string,
  name: string,
  tell: Tell
): Effect.fn.Return<Carried, Unfit | PlatformError> {
  const total = Number((yield* fs.stat(path)).size)
  const hash = createHash("sha256")
  let flaw: string | undefined
  let declared: unknown
  let inEntries = false
  let ended = false
  const counts = { tasks: 0, entries: 0, bytes: 0 }
  let sum = 0
  yield* Lines.forEach(fs, path, ({ bytes, offset }) => {
    hash.update(bytes).update(newline)
    counts.bytes += bytes.length + 1
    tell({ what: "Checking bytes", done: counts.bytes, total })
    const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8")
    const item = Option.getOrUndefined(Record.parseJson(line.replace(/,$/, "")))
    if (offset === 0) {
      const head = Option.getOrUndefined(Record.parseJson(`${line}]}`))
      const fits = Predicate.isObject(head) && "format" in head && head.format === Dump.format && "count" in head
      const version = fits && "version" in head ? head.version : undefined
      if (Record.isCount(version) && version > Dump.version) {
        flaw ??= `it was written by a newer version of Venom (format ${version})`
      } else if (!fits || version !== Dump.version) flaw ??= "it does not begin as an export does"
      else declared = head.count
    } else if (line === Dump.entriesBegin) inEntries = true
    else if (line.startsWith("]")) {
      ended = true
      if (line !== Dump.end(sum).trimEnd()) flaw ??= `its checksum is wrong (byte ${offset})`
    } else if (ended) flaw ??= `something stands after its end (byte ${offset})`
    else if (inEntries) {
      counts.entries++
      if (Option.isNone(Record.entryFromWire(item))) flaw ??= `no entry can be read at byte ${offset}`
    } else {
      counts.tasks++
      if (Result.isFailure(fromWire(item))) flaw ??= `no task can be read at byte ${offset}`
    }
    sum = crc32(newline, crc32(bytes, sum))
  })
  if (!ended) flaw ??= "its end is missing: it was cut off, or is none"
  if (declared !== counts.tasks) flaw ??= `it holds ${counts.tasks} tasks and should hold ${String(declared)}`
  if (flaw !== undefined) return yield* unfit(name, flaw)
  return { ...counts, sha256: hash.digest("hex") }
})

/** Puts a file in its place when it is whole and on disk: what is half made is gone when this fails. */
const placed = <A, E>(
  fs: FileSystem.FileSystem,
  path: string,
  make: (temporary: string) => Effect.Effect<A, E | PlatformError>
): Effect.Effect<A, E | PlatformError> => {
  const temporary = `${path}.tmp`
  return make(temporary).pipe(
    Effect.tap(() => Disk.withFile(fs, temporary, { flag: "r+" }, (file) => file.sync)),
    Effect.tap(() => fs.rename(temporary, path)),
    Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true })))
  )
}

const copied = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, from: string, to: string) {
  yield* fs.copyFile(from, to)
  yield* fs.chmod(to, Disk.privateFile)
})

/** Whether the journal adds nothing to the dump: after an orderly stop. Only where all of it can be read. */
const isWholeInDump = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, directory: string) {
  const sequence = yield* Dump.sequenceOf(fs, `${directory}/${Dump.fileName}`)
  if (sequence === undefined) return false
  const segments = (yield* fs.readDirectory(directory)).filter((name) => Option.isSome(Segment.numberOf(name)))
  let isWhole = true
  for (const name of segments) {
    yield* Lines.forEach(fs, `${directory}/${name}`, ({ bytes, ended }) => {
      const record = ended ? Option.getOrUndefined(Record.parse(bytes)) : undefined
      if (record === undefined || (record._tag === "Header" ? record.from > sequence + 1 : record.seq > sequence)) {
        isWhole = false
      }
    })
  }
  return isWhole
})

/**
 * Writes the whole state of a data directory, tasks and entries, into one file, and reads it again to see that it holds
 * all of it. A service may be running on the directory. Never writes over a file. Where the dump holds all of the state
 * it is copied, a piece at a time; otherwise dump and journal are brought together in memory, as at a start.
 */
export const exportTo =
  (path: string, tell: Tell = () => {}) =>
  (fs: FileSystem.FileSystem, directory: string): Effect.Effect<Carried, Unfit | PlatformError> =>
    Effect.gen(function* () {
      if (!(yield* fs.exists(directory))) return yield* unfitDirectory(directory, "there is none")
      if (yield* fs.exists(path)) return yield* unfit(path, "it is there already, and nothing is written over it")
      const copy = placed(fs, path, (temporary) =>
        Effect.andThen(copied(fs, `${directory}/${Dump.fileName}`, temporary), checked(fs, temporary, path, tell))
      )
      // a dump that is damaged is no reason to give up: there is the one before, and the journal
      const isWhole = yield* Effect.orElseSucceed(isWholeInDump(fs, directory), () => false)
      return yield* isWhole
        ? Effect.catch(copy, () => merged(fs, directory, path, tell))
        : merged(fs, directory, path, tell)
    })

const merged = (fs: FileSystem.FileSystem, directory: string, path: string, tell: Tell) =>
  Effect.flatMap(Doctor.snapshot(fs, directory), (snapshot) => written(fs, path, tell, snapshot))

const written = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  path: string,
  tell: Tell,
  snapshot: Dump.Snapshot
) {
  const now = yield* Clock.currentTimeMillis
  return yield* placed(fs, path, (temporary) =>
    Effect.gen(function* () {
      yield* Disk.withFile(fs, temporary, { flag: "w", mode: Disk.privateFile }, (file) =>
        Effect.gen(function* () {
          for (const part of Dump.text(snapshot, now)) yield* file.writeAll(Buffer.from(part))
        })
      )
      const carried = yield* checked(fs, temporary, path, tell)
      return carried.tasks === snapshot.tasks.length && carried.entries === snapshot.entries.length
        ? carried
        : yield* unfit(path, "it does not hold what was written")
    })
  )
})

/** Makes a data directory of an exported file, every line of it looked at. Refuses a directory that holds a state. */
export const importFrom =
  (path: string, tell: Tell = () => {}) =>
  (fs: FileSystem.FileSystem, directory: string): Effect.Effect<Carried, Unfit | PlatformError> =>
    Effect.scoped(
      Effect.gen(function* () {
        if (!(yield* fs.exists(path))) return yield* unfit(path, "there is no such file to import")
        yield* Disk.makeDirectory(fs, directory)
        const hold = yield* Lock
        yield* hold(fs, directory)
        const held = (yield* fs.readDirectory(directory)).filter((name) => /^(state_dump|journal)/.test(name))
        if (held.length > 0) {
          return yield* unfitDirectory(
            directory,
            `it holds a state already (${held[0]}): import into an empty directory`
          )
        }
        const carried = yield* placed(fs, `${directory}/${Dump.fileName}`, (temporary) =>
          Effect.andThen(copied(fs, path, temporary), checked(fs, temporary, path, tell))
        )
        yield* Disk.syncDirectory(fs, directory)
        return carried
      })
    )

/** Writes a state that is kept elsewhere into one file, as `exportTo` does. */
export const exportState =
  <E>(state: Effect.Effect<State, E>) =>
  (path: string, tell: Tell) =>
  (fs: FileSystem.FileSystem): Effect.Effect<Carried, E | Unfit | PlatformError> =>
    Effect.gen(function* () {
      if (yield* fs.exists(path)) return yield* unfit(path, "it is there already, and nothing is written over it")
      return yield* written(fs, path, tell, { ...(yield* state), sequence: 0 })
    })

/** Hands the state of an exported file to where it is to be kept, when every line of it has been looked at. */
export const importState =
  <E>(keep: (state: State) => Effect.Effect<void, E>) =>
  (path: string, tell: Tell) =>
  (fs: FileSystem.FileSystem): Effect.Effect<Carried, E | Unfit | PlatformError> =>
    Effect.gen(function* () {
      if (!(yield* fs.exists(path))) return yield* unfit(path, "there is no such file to import")
      const carried = yield* checked(fs, path, path, tell)
      const reading = yield* Dump.read(fs, path)
      if (reading._tag !== "Read") return yield* unfit(path, "it cannot be read")
      yield* keep({ tasks: Array.from(reading.tasks.values()), entries: Array.from(reading.entries.values()) })
      return carried
    })
