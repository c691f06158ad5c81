import { Clock, Effect, type FileSystem, Option, Predicate, Result } from "effect"
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

/** What has been carried from one place to another. */
export interface Carried {
  readonly tasks: number
  readonly entries: number
  readonly bytes: number
  readonly sha256: string
}

const newline = Buffer.from("\n")

const unfit = (path: string, reason: string) => new Disk.DataDirectoryError({ directory: path, reason })

/** Reads an exported file to its end, a line at a time, and fails where anything in it is not as it was written. */
const checked = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  path: string,
  name: string
): Effect.fn.Return<Carried, Disk.DataDirectoryError | PlatformError> {
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
    const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8")
    const item = Option.getOrUndefined(Record.parseJson(line.replace(/,$/, "")))
    if (offset === 0) {
      const head = Option.getOrUndefined(Record.parseJson(`${line}]}`))
      const fits = Predicate.isObject(head) && "format" in head && head.format === Dump.format && "count" in head
      if (!fits || !("version" in head) || head.version !== Dump.version) flaw ??= "it does not begin as an export does"
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
  if (!ended) flaw ??= "its end is missing"
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

/**
 * Writes the whole state of a data directory, tasks and entries, into one file, and reads it again to see that it holds
 * all of it. A service may be running on the directory. Never writes over a file.
 */
export const exportTo =
  (path: string) =>
  (fs: FileSystem.FileSystem, directory: string): Effect.Effect<Carried, Disk.DataDirectoryError | PlatformError> =>
    Effect.gen(function* () {
      if (!(yield* fs.exists(directory))) return yield* unfit(directory, "there is none")
      if (yield* fs.exists(path)) return yield* unfit(path, "it is there already, and nothing is written over it")
      const snapshot = yield* Doctor.snapshot(fs, directory)
      const now = yield* Clock.currentTimeMillis
      return yield* placed(fs, path, (temporary) =>
        Effect.gen(function* () {
          yield* Disk.withFile(fs, temporary, { flag: "w", mode: Disk.privateFile }, (file) =>
            Effect.gen(function* () {
              for (const part of Dump.text(snapshot, now)) yield* file.writeAll(Buffer.from(part))
            })
          )
          const carried = yield* checked(fs, temporary, path)
          return carried.tasks === snapshot.tasks.length && carried.entries === snapshot.entries.length
            ? carried
            : yield* unfit(path, "it does not hold what was written")
        })
      )
    })

/** Makes a data directory of an exported file, every line of it looked at. Refuses a directory that holds a state. */
export const importFrom =
  (path: string) =>
  (fs: FileSystem.FileSystem, directory: string): Effect.Effect<Carried, Disk.DataDirectoryError | PlatformError> =>
    Effect.scoped(
      Effect.gen(function* () {
        if (!(yield* fs.exists(path))) return yield* unfit(path, "there is no such file to import")
        yield* Disk.makeDirectory(fs, directory)
        const hold = yield* Lock
        yield* hold(fs, directory)
        const held = (yield* fs.readDirectory(directory)).filter((name) => /^(state_dump|journal)/.test(name))
        if (held.length > 0) {
          return yield* unfit(directory, `it holds a state already (${held[0]}): import into an empty directory`)
        }
        const carried = yield* placed(fs, `${directory}/${Dump.fileName}`, (temporary) =>
          fs
            .copyFile(path, temporary)
            .pipe(Effect.andThen(fs.chmod(temporary, Disk.privateFile)), Effect.andThen(checked(fs, temporary, path)))
        )
        yield* Disk.syncDirectory(fs, directory)
        return carried
      })
    )
