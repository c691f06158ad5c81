import { Option, Predicate, Result, Schema } from "effect"
import { crc32 } from "node:zlib"
import type { TaskId, VenomTask, Wishes } from "../../domain/Task.ts"
import * as IsoTime from "../../domain/IsoTime.ts"
import {
  attemptsToJson,
  callbackToJson,
  fromWire,
  type TaskWire,
  textToJson,
  timeToJson,
  toJson,
  toWire
} from "../../domain/TaskJson.ts"
import { Entry } from "../../ports/Entry.ts"
import type { EntryChange } from "../memory/EntryTable.ts"

/**
 * One line of the journal: eight hexadecimal digits of CRC-32 over the JSON text that follows the
 * space, then the JSON, then 0x0A. JSON text holds no raw 0x0A, so lines are found again after damage.
 */
export type Record =
  /** The first line of a segment: the sequence its records begin with. Older records at or after it are void. */
  | { readonly _tag: "Header"; readonly version: number; readonly from: number }
  /** New tasks, whole, and entries changed with them: in one record, so that a crash leaves all or none. */
  | {
      readonly _tag: "Insert"
      readonly seq: number
      readonly tasks: ReadonlyArray<VenomTask>
      readonly entries: ReadonlyArray<EntryChange>
    }
  /** The changed fields of a task, as they are after the change. */
  | { readonly _tag: "Change"; readonly seq: number; readonly id: string; readonly set: Changed }
  /** Tasks that are no more. */
  | { readonly _tag: "Removal"; readonly seq: number; readonly ids: ReadonlyArray<string> }

type Changed = Partial<Omit<TaskWire, "logs">> & {
  /** The log keeps its first `keep` lines, then come these. */
  readonly logs?: { readonly keep: number; readonly add: ReadonlyArray<string> }
}

export const format = "venom-journal"
export const version = 1

const line = (json: string): string => `${hex(crc32(json))} ${json}\n`

/** Eight digits. */
const hex = (sum: number): string => (sum + 2 ** 32).toString(16).slice(1)

export const header = (from: number): string => line(JSON.stringify({ format, version, from }))

export const insert = (seq: number, tasks: ReadonlyArray<VenomTask>, entries: ReadonlyArray<EntryChange>): string =>
  line(
    `{"seq":${seq},"tasks":[${tasks.map(toJson).join(",")}]${entries.length === 0 ? "" : `,"entries":${entriesToJson(entries)}`}}`
  )

const entriesToJson = (entries: ReadonlyArray<EntryChange>): string =>
  JSON.stringify(entries.map(({ entry, name }) => (entry === undefined ? { name } : entryToWire(entry))))

export const entryToWire = ({ expiresAt, name, revision, value }: Entry) => ({
  name,
  value,
  revision,
  expires_at: expiresAt === null ? null : IsoTime.format(expiresAt)
})

/** An entry that Venom wrote, or its name alone where it is gone. */
export const entryFromWire = (input: unknown): Option.Option<EntryChange> => {
  if (!Predicate.isObject(input) || !("name" in input) || !Predicate.isString(input.name)) return Option.none()
  const { name } = input
  if (!("value" in input)) return Option.some({ name, entry: undefined })
  const expiresAt = "expires_at" in input ? input.expires_at : undefined
  const entry = readEntry({
    name,
    value: input.value,
    revision: "revision" in input ? input.revision : undefined,
    expiresAt: Predicate.isString(expiresAt) ? IsoTime.parse(expiresAt) : expiresAt
  })
  return Option.map(entry, (entry) => ({ name, entry }))
}

const readEntry = Schema.decodeUnknownOption(Schema.toType(Entry))

/**
 * A change on top of any of the states in `before`: each field stands in it that one of them has otherwise. A
 * crash may leave a record and take another before it that was not synced either.
 */
export const change = (seq: number, before: ReadonlyArray<VenomTask>, after: VenomTask): string =>
  line(`{"seq":${seq},"id":"${after.id}","set":${changed(before, after)}}`)

export const removal = (seq: number, ids: ReadonlyArray<TaskId>): string => line(JSON.stringify({ seq, removed: ids }))

/** What a task is submitted with: no transition touches it. */
type Fixed = "id" | "content" | "createdAt" | "type" | "priority" | "tags" | "traceparent" | keyof Wishes

/** A new field of a task does not compile here before it is compared, or named as fixed. */
type Same = { [Field in Exclude<keyof VenomTask, Fixed | "revision" | "updatedAt">]-?: boolean }

/**
 * By hand, in the spelling of `Changed`: this is the most frequent thing that is written. A field that may change is
 * left out only where every state has it as it is after the change.
 */
const changed = (before: ReadonlyArray<VenomTask>, after: VenomTask): string => {
  const same = sameInAll(before, after)
  let set = `"revision":${after.revision},"updated_at":"${IsoTime.format(after.updatedAt)}"`
  if (!same.status) set += `,"status":"${after.status}"`
  if (!same.result) set += `,"result":${textToJson(after.result)}`
  if (!same.runAt) set += `,"run_at":${timeToJson(after.runAt)}`
  if (!same.startedAt) set += `,"started_at":${timeToJson(after.startedAt)}`
  if (!same.finishedAt) set += `,"finished_at":${timeToJson(after.finishedAt)}`
  if (!same.attempt) set += `,"attempt":${after.attempt}`
  if (!same.maxAttempts) set += `,"max_attempts":${after.maxAttempts}`
  if (!same.attempts) set += `,"attempts":${attemptsToJson(after.attempts)}`
  if (!same.failure) set += `,"failure":${JSON.stringify(after.failure)}`
  if (!same.progress) set += `,"progress":${JSON.stringify(after.progress)}`
  if (!same.callback && after.callback !== undefined) set += `,"callback":${callbackToJson(after.callback)}`
  if (!same.logsDropped) set += `,"logs_dropped":${after.logsDropped}`
  if (!same.logs) set += `,"logs":${newLines(before, after.logs)}`
  return `{${set}}`
}

const sameInAll = (before: ReadonlyArray<VenomTask>, after: VenomTask): Same => {
  const same: Same = {
    status: true,
    result: true,
    runAt: true,
    startedAt: true,
    finishedAt: true,
    attempt: true,
    maxAttempts: true,
    attempts: true,
    failure: true,
    progress: true,
    callback: true,
    logsDropped: true,
    logs: true
  }
  for (const state of before) {
    same.status &&= state.status === after.status
    same.result &&= state.result === after.result
    same.runAt &&= state.runAt === after.runAt
    same.startedAt &&= state.startedAt === after.startedAt
    same.finishedAt &&= state.finishedAt === after.finishedAt
    same.attempt &&= state.attempt === after.attempt
    same.maxAttempts &&= state.maxAttempts === after.maxAttempts
    same.attempts &&= state.attempts === after.attempts
    same.failure &&= state.failure === after.failure
    same.progress &&= state.progress === after.progress
    same.callback &&= state.callback === after.callback
    same.logsDropped &&= state.logsDropped === after.logsDropped
    same.logs &&= state.logs === after.logs
  }
  return same
}

const newLines = (before: ReadonlyArray<VenomTask>, after: ReadonlyArray<string>): string => {
  let keep = after.length
  for (const { logs } of before) {
    let same = 0
    while (same < keep && same < logs.length && logs[same] === after[same]) same++
    keep = same
  }
  return `{"keep":${keep},"add":${JSON.stringify(after.slice(keep))}}`
}

/** The task as it is after the change; none where the two do not make a task. */
export const apply = (task: VenomTask, { logs, ...set }: Changed): Option.Option<VenomTask> =>
  Result.getSuccess(
    fromWire({
      ...toWire(task),
      ...set,
      logs: logs === undefined ? task.logs : task.logs.slice(0, logs.keep).concat(logs.add)
    })
  )

/** Reads a line without its 0x0A; none where it is damaged or of an unknown shape. */
export const parse = (bytes: Uint8Array): Option.Option<Record> => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (text.length < 10 || text[8] !== 0x20) return Option.none()
  if (Number.parseInt(text.toString("latin1", 0, 8), 16) !== crc32(text.subarray(9))) return Option.none()
  return Option.flatMap(parseJson(text.toString("utf8", 9)), fromJson)
}

export const parseJson = (text: string): Option.Option<unknown> =>
  Result.getSuccess(Result.try((): unknown => JSON.parse(text)))

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

const fromJson = (value: unknown): Option.Option<Record> => {
  if (!Predicate.isObject(value)) return Option.none()
  if ("format" in value) {
    return "version" in value &&
      "from" in value &&
      value.format === format &&
      isCount(value.version) &&
      isCount(value.from)
      ? Option.some({ _tag: "Header", version: value.version, from: value.from })
      : Option.none()
  }
  if (!("seq" in value) || !isCount(value.seq)) return Option.none()
  const { seq } = value
  if ("tasks" in value && Array.isArray(value.tasks)) {
    const listed = "entries" in value && Array.isArray(value.entries) ? value.entries : []
    return Option.map(
      Option.all([
        Result.getSuccess(Result.all(value.tasks.map(fromWire))),
        Option.all(listed.map((entry) => entryFromWire(entry)))
      ]),
      ([tasks, entries]) => ({ _tag: "Insert", seq, tasks, entries })
    )
  }
  if ("removed" in value && Array.isArray(value.removed)) {
    return value.removed.every(Predicate.isString)
      ? Option.some({ _tag: "Removal", seq, ids: value.removed })
      : Option.none()
  }
  return "id" in value && "set" in value && Predicate.isString(value.id) && isChanged(value.set)
    ? Option.some({ _tag: "Change", seq, id: value.id, set: value.set })
    : Option.none()
}

/** The checksum says that the fields are as we wrote them; `apply` checks the task they make. */
const isChanged = (value: unknown): value is Changed =>
  Predicate.isObject(value) &&
  (!("logs" in value) ||
    (Predicate.isObject(value.logs) &&
      "keep" in value.logs &&
      "add" in value.logs &&
      isCount(value.logs.keep) &&
      Array.isArray(value.logs.add)))
