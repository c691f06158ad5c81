import { Effect, type FileSystem, Option, Predicate, Result } from "effect"
import type { PlatformError } from "effect/PlatformError"
import { crc32 } from "node:zlib"
import type { Instant, VenomTask } from "../../domain/Task.ts"
import * as IsoTime from "../../domain/IsoTime.ts"
import { fromWire, toJson } from "../../domain/TaskJson.ts"
import type { Entry } from "../../ports/Entry.ts"
import * as Disk from "./Disk.ts"
import * as Lines from "./Lines.ts"
import * as Record from "./Record.ts"

/** All tasks as they were after the record `sequence` of the journal. */
export interface Snapshot {
  readonly sequence: number
  readonly tasks: ReadonlyArray<VenomTask>
  readonly entries: ReadonlyArray<Entry>
}

export const format = "venom-state"
export const version = 1

/** The line between the tasks and the entries, where there are any. */
export const entriesBegin = '],"entries":['

export const fileName = "state_dump.json"
export const previousFileName = "state_dump.prev.json"
export const temporaryFileNames = [`${fileName}.tmp`, `${previousFileName}.tmp`]

const comma = 0x2c
const newline = Buffer.from("\n")

/** Lines, and characters, put into one write: a slice takes a few milliseconds, then others run. */
const sliceItems = 100
const sliceChars = 128 * 1024

/** The dump is synced as it grows: a file system may have a sync of the journal wait for all that is not. */
const syncBytes = 1024 * 1024

/** Tasks read, until it is told how many they are. */
const toldEvery = 1000

const slices = function* <A>(
  items: ReadonlyArray<A>,
  written: (item: A) => string,
  tell: (done: number) => void = () => {}
): Generator<string> {
  let slice = ""
  let inSlice = 0
  for (const [at, item] of items.entries()) {
    slice += `${written(item)}${at < items.length - 1 ? ",\n" : "\n"}`
    inSlice++
    if (inSlice < sliceItems && slice.length < sliceChars) continue
    yield slice
    slice = ""
    inSlice = 0
    tell(at + 1)
  }
  if (inSlice > 0) yield slice
}

const body = function* (
  { entries, sequence, tasks }: Snapshot,
  now: Instant,
  tell?: (tasks: number) => void
): Generator<string> {
  const head = { format, version, sequence, created_at: IsoTime.format(now), count: tasks.length }
  yield `${JSON.stringify(head).slice(0, -1)},"tasks":[\n`
  yield* slices(tasks, toJson, tell)
  if (entries.length === 0) return
  yield `${entriesBegin}\n`
  yield* slices(entries, (entry) => JSON.stringify(Record.entryToWire(entry)))
}

/** The line that ends a dump, after all that has this CRC-32. */
export const end = (sum: number): string => `],"crc32":"${sum.toString(16).padStart(8, "0")}"}\n`

/** A dump, in parts that end with a line. */
export const text = function* (snapshot: Snapshot, now: Instant): Generator<string> {
  let sum = 0
  for (const part of body(snapshot, now)) {
    sum = crc32(part, sum)
    yield part
  }
  yield end(sum)
}

/**
 * Replaces the dump as a whole; the one before stays as the previous one. One task per line, so that a
 * person and a program can read it; a CRC-32 of all before it ends it. In a crash either the old dump or
 * the new one is found, whole. Returns its size.
 */
export const write = Effect.fnUntraced(
  function* (
    fs: FileSystem.FileSystem,
    directory: string,
    snapshot: Snapshot,
    now: Instant,
    tell?: (tasks: number) => void
  ): Effect.fn.Return<number, PlatformError> {
    const path = `${directory}/${fileName}`
    const temporary = `${path}.tmp`
    let size = 0
    yield* Disk.withFile(fs, temporary, { flag: "w", mode: Disk.privateFile }, (file) =>
      Effect.gen(function* () {
        let sum = 0
        let unsynced = 0
        const put = (text: string) => {
          const bytes = Buffer.from(text)
          sum = crc32(bytes, sum)
          size += bytes.length
          unsynced += bytes.length
          if (unsynced < syncBytes) return file.writeAll(bytes)
          unsynced = 0
          return Effect.andThen(file.writeAll(bytes), file.sync)
        }
        for (const part of body(snapshot, now, tell)) yield* put(part)
        yield* put(end(sum))
        yield* file.sync
      })
    )
    yield* keepAsPrevious(fs, directory)
    yield* fs.rename(temporary, path)
    yield* Disk.syncDirectory(fs, directory)
    return size
  },
  (effect, fs, directory) =>
    // a half-written dump would eat the space that verdicts need
    Effect.onError(effect, () => Effect.ignore(fs.remove(`${directory}/${fileName}.tmp`, { force: true })))
)

const keepAsPrevious = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, directory: string) {
  const previous = `${directory}/${previousFileName}`
  yield* fs.remove(`${previous}.tmp`, { force: true })
  yield* fs.link(`${directory}/${fileName}`, `${previous}.tmp`).pipe(
    Effect.andThen(fs.rename(`${previous}.tmp`, previous)),
    Effect.catchReason("PlatformError", "NotFound", () => Effect.void)
  )
})

interface Held {
  readonly tasks: Map<string, VenomTask>
  readonly entries: Map<string, Entry>
}

export type Reading =
  | { readonly _tag: "Absent" }
  | ({ readonly _tag: "Read"; readonly sequence: number } & Held)
  /** What is held is what can be read all the same; nothing says that it is all. */
  | ({
      readonly _tag: "Unreadable"
      readonly position: number
      readonly reason: string
      readonly sequence: number
    } & Held)
  /** Written by a newer Venom: to be left alone. */
  | { readonly _tag: "TooNew"; readonly version: number }

interface Flaw {
  readonly position: number
  readonly reason: string
}

/** Reads a dump, checking all of it. One that a person has laid out anew is read too, without its checksum. */
export const read = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  path: string,
  tell: (done: number, total: number) => void = () => {}
): Effect.fn.Return<Reading, PlatformError> {
  if (!(yield* fs.exists(path))) return { _tag: "Absent" }
  const tasks = new Map<string, VenomTask>()
  const entries = new Map<string, Entry>()
  let inEntries = false
  let head: Head | undefined
  let flaw: Flaw | undefined
  let ended = false
  let sum = 0
  yield* Lines.forEach(fs, path, (line) => {
    const bytes = Buffer.from(line.bytes.buffer, line.bytes.byteOffset, line.bytes.length)
    const text = bytes.toString("utf8", 0, bytes.at(-1) === comma ? bytes.length - 1 : bytes.length)
    if (line.offset === 0) {
      head = parseHead(text)
      if (head === undefined) flaw = { position: 0, reason: "it does not begin as a dump does" }
    } else if (text === entriesBegin) {
      inEntries = true
    } else if (text.startsWith("]")) {
      ended = true
      const expected = /^\],"crc32":"([0-9a-f]{8})"\}$/.exec(text)?.[1]
      if (expected !== sum.toString(16).padStart(8, "0"))
        flaw ??= { position: line.offset, reason: "its checksum is wrong" }
    } else {
      const json = Record.parseJson(text)
      if (inEntries) {
        const entry = Option.getOrUndefined(Option.flatMap(json, Record.entryFromWire))?.entry
        if (entry === undefined) flaw ??= { position: line.offset, reason: "no entry can be read there" }
        else entries.set(entry.name, entry)
        sum = crc32(newline, crc32(line.bytes, sum))
        return
      }
      const task = Option.map(json, fromWire)
      if (Option.isSome(task) && Result.isSuccess(task.value)) tasks.set(task.value.success.id, task.value.success)
      else flaw ??= { position: line.offset, reason: "no task can be read there" }
      if (tasks.size % toldEvery === 0) tell(tasks.size, head?.count ?? tasks.size)
    }
    sum = crc32(newline, crc32(line.bytes, sum))
  })
  if (head === undefined) {
    const otherwise = { position: 0, reason: "it is empty", ...flaw, sequence: 0, tasks, entries }
    return yield* readFreely(fs, path, { _tag: "Unreadable", ...otherwise })
  }
  const { count, sequence, version: written } = head
  if (written > version) return { _tag: "TooNew", version: written }
  if (!ended) flaw ??= { position: Number((yield* fs.stat(path)).size), reason: "its end is missing" }
  if (count !== tasks.size) flaw ??= { position: 0, reason: `it holds ${tasks.size} tasks and should hold ${count}` }
  const held = { sequence, tasks, entries }
  return flaw === undefined ? { _tag: "Read", ...held } : { _tag: "Unreadable", ...flaw, ...held }
})

/** The last record that a dump says it holds; none where it does not begin as this version's do. */
export const sequenceOf = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  path: string
): Effect.fn.Return<number | undefined, PlatformError> {
  let head: Head | undefined
  yield* Lines.find(fs, path, ({ bytes }) => {
    head = parseHead(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"))
    return true
  })
  return head?.version === version ? head.sequence : undefined
})

/** The largest file that is taken as one JSON text. */
const freelyBytes = 64 * 1024 * 1024

const readFreely = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  path: string,
  otherwise: Extract<Reading, { readonly _tag: "Unreadable" }>
): Effect.fn.Return<Reading, PlatformError> {
  if (Number((yield* fs.stat(path)).size) > freelyBytes) return otherwise
  const text = yield* fs.readFileString(path)
  const whole = Option.getOrUndefined(Record.parseJson(text))
  if (!Predicate.isObject(whole) || !("format" in whole && "version" in whole)) return otherwise
  if (whole.format !== format || !Record.isCount(whole.version)) return otherwise
  if (whole.version > version) return { _tag: "TooNew", version: whole.version }
  // our own layout: its checksum counts
  if (/\n\],"crc32":"[^"]*"\}\n$/.test(text) || !("tasks" in whole) || !Array.isArray(whole.tasks)) return otherwise
  const tasks = new Map<string, VenomTask>()
  for (const [index, item] of whole.tasks.entries()) {
    const task = fromWire(item)
    if (Result.isFailure(task))
      return { ...otherwise, reason: `its task number ${index + 1} is wrong: ${task.failure}` }
    tasks.set(task.success.id, task.success)
  }
  const entries = new Map<string, Entry>()
  for (const [index, item] of ("entries" in whole && Array.isArray(whole.entries) ? whole.entries : []).entries()) {
    const entry = Option.getOrUndefined(Record.entryFromWire(item))?.entry
    if (entry === undefined) return { ...otherwise, reason: `its entry number ${index + 1} is wrong` }
    entries.set(entry.name, entry)
  }
  const sequence = "sequence" in whole && Record.isCount(whole.sequence) ? whole.sequence : 0
  return { _tag: "Read", sequence, tasks, entries }
})

interface Head {
  readonly version: number
  readonly sequence: number
  readonly count: number
}

const parseHead = (line: string): Head | undefined => {
  const head = Option.getOrUndefined(Record.parseJson(`${line}]}`))
  if (!Predicate.isObject(head) || !("format" in head) || head.format !== format) return undefined
  if (!("version" in head && "sequence" in head && "count" in head)) return undefined
  const { count, sequence, version } = head
  return Record.isCount(version) && Record.isCount(sequence) && Record.isCount(count)
    ? { version, sequence, count }
    : undefined
}
