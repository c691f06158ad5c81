import { Effect, type FileSystem, Option } from "effect"
import type { PlatformError } from "effect/PlatformError"
import type { VenomTask } from "../../domain/Task.ts"
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
}

/**
 * Reads the state: the newest readable dump, then the journal records above its sequence. Changes nothing.
 * Fails where acknowledged tasks would be missing without a trace.
 */
export const read = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  directory: string,
  { salvage = false }: Options = {}
): Effect.fn.Return<Found, DataDirectoryError | PlatformError> {
  const refuse = (reason: string) =>
    new DataDirectoryError({ directory, reason: `${reason}. Examine it with: venom doctor --data-dir ${directory}` })

  const damage: Array<Damage> = []
  const base = yield* readBase(fs, directory, refuse, damage, salvage)
  const numbers = (yield* fs.readDirectory(directory))
    .flatMap((name) => Option.toArray(Segment.numberOf(name)))
    .sort((a, b) => a - b)

  const contents: Array<SegmentContent> = []
  for (const number of numbers)
    contents.push(yield* readSegment(fs, `${directory}/${Segment.fileName(number)}`, number))
  const newer = contents.find((content) => content.version > Record.version)
  if (newer !== undefined) {
    return yield* refuse(`${newer.path} was written by a newer version of Venom (format ${newer.version})`)
  }

  const first = contents.find(({ headed, records }) => headed || records.length > 0)
  const bridged = first === undefined ? base.problem === undefined : !first.headed || first.from <= base.sequence + 1
  if (!salvage && (!bridged || (base.problem !== undefined && first?.from !== 1))) {
    return yield* refuse(
      `${base.problem ?? "a part of the state is missing"}, and the journal ${
        first === undefined ? "is empty" : `goes back to record ${first.from} only`
      }`
    )
  }

  const { tasks } = base
  let { sequence } = base
  let records = 0
  for (const [index, content] of contents.entries()) {
    const voidFrom = Math.min(...contents.slice(index + 1).map(({ from }) => from))
    const expect = (next: number, position: number) => {
      if (next <= sequence + 1) return
      const what = `records ${sequence + 1} to ${next - 1} are missing`
      damage.push({ file: content.path, position, bytes: 0, what, torn: false })
      sequence = next - 1
    }
    if (content.headed && content.from < voidFrom) expect(content.from, 0)
    for (const record of content.records) {
      if (record.seq <= sequence || record.seq >= voidFrom) continue
      expect(record.seq, record.offset)
      if (!play(tasks, record)) {
        damage.push({
          file: content.path,
          position: record.offset,
          bytes: 0,
          what: `record ${record.seq} fits no task`,
          torn: false
        })
      }
      sequence = record.seq
      records++
    }
    // a crash while a segment is made leaves one that says nothing
    const isLast = contents.slice(index + 1).every((later) => !later.headed && later.records.length === 0)
    // the dump has all of this segment: what is wrong in it was told when it mattered
    if (voidFrom <= base.sequence + 1) continue
    const readable = content.records.findLast(({ seq }) => seq < voidFrom)
    for (const bad of content.bad) {
      const atEnd = readable === undefined || bad.position > readable.offset
      // what a failed sync has left there was never acknowledged
      if (atEnd && sequence >= voidFrom - 1) continue
      damage.push({ ...bad, torn: isLast && atEnd })
    }
  }

  return {
    tasks,
    sequence,
    dumped: base.sequence,
    segments: contents.map(({ from, number, path }) => ({ from, number, path })),
    lastSegment: numbers.at(-1) ?? 0,
    records,
    damage
  }
})

const readBase = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  directory: string,
  refuse: (reason: string) => DataDirectoryError,
  damage: Array<Damage>,
  salvage: boolean
) {
  const problems: Array<string> = []
  const salvaged = { sequence: 0, tasks: new Map<string, VenomTask>() }
  for (const name of [Dump.fileName, Dump.previousFileName]) {
    const file = `${directory}/${name}`
    const reading = yield* Dump.read(fs, file)
    if (reading._tag === "Absent") continue
    if (reading._tag === "TooNew") {
      return yield* refuse(`${file} was written by a newer version of Venom (format ${reading.version})`)
    }
    if (reading.tasks.size > 0) {
      // from the older of the two on, records are played again: they hold resulting values
      salvaged.sequence = reading.sequence
      salvaged.tasks = new Map([...reading.tasks, ...salvaged.tasks])
    }
    if (reading._tag === "Read") return { ...(salvage ? salvaged : reading), problem: undefined }
    problems.push(`${file} cannot be read from byte ${reading.position} on: ${reading.reason}`)
    const bytes = Number((yield* fs.stat(file)).size) - reading.position
    damage.push({ file, position: reading.position, bytes, what: reading.reason, torn: false })
  }
  const base = salvage ? salvaged : { sequence: 0, tasks: new Map<string, VenomTask>() }
  return { ...base, problem: problems.length === 0 ? undefined : problems.join(", ") }
})

type Placed = Exclude<Record.Record, { readonly _tag: "Header" }> & { readonly offset: number }

interface SegmentContent extends SegmentFile {
  /** Whether its header could be read; else `from` is taken from its first record. */
  readonly headed: boolean
  readonly version: number
  readonly records: ReadonlyArray<Placed>
  readonly bad: ReadonlyArray<Omit<Damage, "torn">>
}

const readSegment = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, path: string, number: number) {
  const records: Array<Placed> = []
  const bad: Array<Omit<Damage, "torn">> = []
  let header: Extract<Record.Record, { readonly _tag: "Header" }> | undefined
  yield* Lines.forEach(fs, path, ({ bytes, ended, offset }) => {
    const record = ended ? Record.parse(bytes) : Option.none()
    if (Option.isNone(record)) {
      const what = ended ? "a record cannot be read" : "a record is cut short"
      bad.push({ file: path, position: offset, bytes: bytes.length + (ended ? 1 : 0), what })
    } else if (record.value._tag === "Header") header ??= record.value
    else records.push({ ...record.value, offset })
  })
  const content: SegmentContent = {
    number,
    path,
    headed: header !== undefined,
    version: header?.version ?? Record.version,
    from: header?.from ?? records[0]?.seq ?? Number.POSITIVE_INFINITY,
    records,
    bad
  }
  return content
})

const play = (tasks: Map<string, VenomTask>, record: Placed): boolean => {
  if (record._tag === "Insert") {
    for (const task of record.tasks) tasks.set(task.id, task)
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
