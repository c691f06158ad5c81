import { Effect, type FileSystem, Option } from "effect"
import type { PlatformError } from "effect/PlatformError"
import type { VenomTask } from "../../domain/Task.ts"
import type { Entry } from "../../ports/Entry.ts"
import { DataDirectoryError } from "./Disk.ts"
import * as Dump from "./Dump.ts"
import * as Lines from "./Lines.ts"
import * as Record from "./Record.ts"
import * as Segment from "./Segment.ts"

/** A file of the directory that is not whole. */
export interface Damage {
  readonly file: string
  readonly position: number
  /** Bytes that could not be read; 0 where the damage is what is missing. */
  readonly bytes: number
  readonly what: string
  /** A last record that a crash cut short: normal, and nothing was lost that was acknowledged. */
  readonly torn: boolean
}

export interface SegmentFile {
  readonly number: number
  readonly path: string
  readonly from: number
}

/** What a data directory holds. */
export interface Found {
  readonly tasks: ReadonlyMap<string, VenomTask>
  readonly entries: ReadonlyMap<string, Entry>
  /** The last record that is part of `tasks`. */
  readonly sequence: number
  /** The last record that the dump holds which the reading began with; 0 without one. */
  readonly dumped: number
  readonly segments: ReadonlyArray<SegmentFile>
  /** Highest number a segment file has had; 0 without any. */
  readonly lastSegment: number
  /** Records read from the journal. */
  readonly records: number
  readonly damage: ReadonlyArray<Damage>
}

export interface Options {
  /** Takes what can be read even where a part of the state is missing. */
  readonly salvage?: boolean
  /** How many records have been read, of how many, more or less. */
  readonly tell?: (done: number, total: number) => void
}

/**
 * Reads the state: the newest readable dump, then the journal records above its sequence. Changes nothing.
 * Fails where acknowledged tasks would be missing without a trace.
 */
export const read = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  directory: string,
  { salvage = false, tell: told = () => {} }: Options = {}
): Effect.fn.Return<Found, DataDirectoryError | PlatformError> {
  const refuse = (reason: string) =>
    new DataDirectoryError({ directory, reason: `${reason}. Examine it with: venom doctor --data-dir ${directory}` })

  const damage: Array<Damage> = []
  const base = yield* readBase(fs, directory, refuse, damage, salvage, told)
  const numbers = (yield* fs.readDirectory(directory))
    .flatMap((name) => Option.toArray(Segment.numberOf(name)))
    .sort((a, b) => a - b)

  const heads: Array<SegmentHead> = []
  for (const number of numbers) heads.push(yield* readHead(fs, `${directory}/${Segment.fileName(number)}`, number))
  const newer = heads.find((head) => head.version > Record.version)
  if (newer !== undefined) {
    return yield* refuse(`${newer.path} was written by a newer version of Venom (format ${newer.version})`)
  }

  const first = heads.find(({ from }) => from < saysNothing)
  const bridged = first === undefined ? base.problem === undefined : !first.headed || first.from <= base.sequence + 1
  if (!salvage && (!bridged || (base.problem !== undefined && first?.from !== 1))) {
    return yield* refuse(
      `${base.problem ?? "a part of the state is missing"}, and the journal ${
        first === undefined ? "is empty" : `goes back to record ${first.from} only`
      }`
    )
  }

  const { entries, tasks } = base
  let { sequence } = base
  const inDump = tasks.size
  let records = 0
  // how many are to come is guessed by the bytes
  const sizes: Array<number> = []
  for (const { path } of heads) sizes.push(Number((yield* fs.stat(path)).size))
  const bytesInAll = sizes.reduce((sum, size) => sum + size, 0)
  let bytesRead = 0
  for (const [at, { from, headed, path, voidFrom }] of withVoids(heads).entries()) {
    const bytesBefore = bytesRead
    bytesRead += sizes[at] ?? 0
    // the dump has all of this segment: what is wrong in it was told when it mattered
    if (voidFrom <= base.sequence + 1) continue
    const tell = (position: number, what: string) => damage.push({ file: path, position, bytes: 0, what, torn: false })
    const expect = (next: number, position: number) => {
      if (next <= sequence + 1) return
      tell(position, `records ${sequence + 1} to ${next - 1} are missing`)
      sequence = next - 1
    }
    let lastReadable = -1
    const playNext = (record: Played, offset: number) => {
      if (record.seq < voidFrom) lastReadable = offset
      if (record.seq <= sequence || record.seq >= voidFrom) return
      expect(record.seq, offset)
      if (!play(base, record)) tell(offset, `record ${record.seq} fits no task`)
      sequence = record.seq
      records++
      if (records % toldEvery === 0) {
        told(inDump + records, inDump + Math.round((records * bytesInAll) / (bytesBefore + offset)))
      }
    }

    if (headed && from < voidFrom) expect(from, 0)
    const bad: Array<Omit<Damage, "torn">> = []
    // each record is played as it is read: a journal may be larger than the memory
    yield* Lines.forEach(fs, path, ({ bytes, ended, offset }) => {
      const record = ended ? Record.parse(bytes) : Option.none()
      if (Option.isNone(record)) {
        const what = ended ? "a record cannot be read" : "a record is cut short"
        bad.push({ file: path, position: offset, bytes: bytes.length + (ended ? 1 : 0), what })
      } else if (record.value._tag !== "Header") playNext(record.value, offset)
    })
    for (const flaw of bad) {
      const atEnd = flaw.position > lastReadable
      // what a failed sync has left there was never acknowledged
      if (atEnd && sequence >= voidFrom - 1) continue
      // a crash while a segment is made leaves one that says nothing
      const isLast = voidFrom === saysNothing
      damage.push({ ...flaw, torn: isLast && atEnd })
    }
  }

  return {
    tasks,
    entries,
    sequence,
    dumped: base.sequence,
    segments: heads.map(({ from, number, path }) => ({ from, number, path })),
    lastSegment: numbers.at(-1) ?? 0,
    records,
    damage
  }
})

/** Records read, until it is told how many they are. */
const toldEvery = 1000

interface State {
  sequence: number
  tasks: Map<string, VenomTask>
  entries: Map<string, Entry>
}

const readBase = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  directory: string,
  refuse: (reason: string) => DataDirectoryError,
  damage: Array<Damage>,
  salvage: boolean,
  told: (done: number, total: number) => void
) {
  const problems: Array<string> = []
  const salvaged: State = { sequence: 0, tasks: new Map(), entries: new Map() }
  for (const name of [Dump.fileName, Dump.previousFileName]) {
    const file = `${directory}/${name}`
    const reading = yield* Dump.read(fs, file, told)
    if (reading._tag === "Absent") continue
    if (reading._tag === "TooNew") {
      return yield* refuse(`${file} was written by a newer version of Venom (format ${reading.version})`)
    }
    if (reading._tag === "Read" && !salvage) return { ...reading, problem: undefined }
    if (reading.tasks.size > 0) {
      // from the older of the two on, records are played again: they hold resulting values
      salvaged.sequence = reading.sequence
      salvaged.tasks = new Map([...reading.tasks, ...salvaged.tasks])
      salvaged.entries = new Map([...reading.entries, ...salvaged.entries])
    }
    if (reading._tag === "Read") return { ...salvaged, problem: undefined }
    problems.push(`${file} cannot be read from byte ${reading.position} on: ${reading.reason}`)
    const bytes = Number((yield* fs.stat(file)).size) - reading.position
    damage.push({ file, position: reading.position, bytes, what: reading.reason, torn: false })
  }
  const base: State = salvage ? salvaged : { sequence: 0, tasks: new Map(), entries: new Map() }
  return { ...base, problem: problems.length === 0 ? undefined : problems.join(", ") }
})

type Played = Exclude<Record.Record, { readonly _tag: "Header" }>

/** Where the records begin of a segment that has neither a header nor a record. */
const saysNothing = Number.POSITIVE_INFINITY

interface SegmentHead extends SegmentFile {
  /** Whether its header could be read; else `from` is taken from its first record. */
  readonly headed: boolean
  readonly version: number
}

const readHead = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, path: string, number: number) {
  let header: Extract<Record.Record, { readonly _tag: "Header" }> | undefined
  let firstRecord: number | undefined
  yield* Lines.find(fs, path, ({ bytes, ended }) => {
    const record = ended ? Record.parse(bytes) : Option.none()
    if (Option.isNone(record)) return false
    if (record.value._tag === "Header") header = record.value
    else firstRecord ??= record.value.seq
    return header !== undefined
  })
  const head: SegmentHead = {
    number,
    path,
    headed: header !== undefined,
    version: header?.version ?? Record.version,
    from: header?.from ?? firstRecord ?? saysNothing
  }
  return head
})

/** Each with the lowest record that a later one begins with: from there on its own are void. */
const withVoids = (heads: ReadonlyArray<SegmentHead>) => {
  let voidFrom = saysNothing
  return heads
    .toReversed()
    .map((head) => {
      const withVoid = { ...head, voidFrom }
      voidFrom = Math.min(voidFrom, head.from)
      return withVoid
    })
    .toReversed()
}

const play = ({ entries, tasks }: Pick<State, "tasks" | "entries">, record: Played): boolean => {
  if (record._tag === "Insert") {
    for (const task of record.tasks) tasks.set(task.id, task)
    for (const { entry, name } of record.entries) {
      if (entry === undefined) entries.delete(name)
      else entries.set(name, entry)
    }
    return true
  }
  if (record._tag === "Removal") {
    for (const id of record.ids) tasks.delete(id)
    return true
  }
  const task = tasks.get(record.id)
  const changed = task === undefined ? Option.none() : Record.apply(task, record.set)
  if (Option.isSome(changed)) tasks.set(record.id, changed.value)
  return Option.isSome(changed)
}
