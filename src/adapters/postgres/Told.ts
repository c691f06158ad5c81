import { Predicate, Result } from "effect"
import type { Instant, VenomTask } from "../../domain/Task.ts"
import { fromWire, toWire } from "../../domain/TaskJson.ts"
import * as TaskLog from "../../domain/TaskLog.ts"
import type { Change, Told } from "../../ports/StateRepository.ts"

/** Characters of a result, or of a failure, that are told; who reads of a longer one asks for the task. */
const mostTold = 4096

/** What a task is told with beside what has changed most of the time. */
interface More {
  readonly failure?: Told["failure"]
  readonly progress?: Told["progress"]
  readonly callback?: unknown
  /** The progress is another one than before. */
  readonly moved?: true
  /** The task is no more. */
  readonly gone?: true
  /** Its end is too long to be told. */
  readonly long?: true
}

const moreOf = (before: VenomTask | undefined, after: VenomTask | undefined, task: VenomTask): More => {
  const failure = task.failure === null ? 0 : JSON.stringify(task.failure).length
  const isLong = (task.result?.length ?? 0) + failure > mostTold
  return {
    ...(task.failure === null || isLong ? {} : { failure: task.failure }),
    ...(task.progress === null ? {} : { progress: task.progress }),
    ...(task.callback === undefined ? {} : { callback: toWire(task).callback }),
    ...(after?.progress === before?.progress ? {} : { moved: true }),
    ...(after === undefined ? { gone: true } : {}),
    ...(isLong ? { long: true } : {})
  }
}

/** A change as a row of `venom.change` has it, before it has its place. */
export const write = (before: VenomTask | undefined, after: VenomTask | undefined): string => {
  const task = after ?? before
  if (task === undefined) return "[]"
  const more = moreOf(before, after, task)
  return JSON.stringify([
    task.id,
    task.type,
    task.tags,
    task.status,
    task.attempt,
    task.runAt,
    task.revision,
    more.long === true ? null : task.result,
    before === undefined ? null : [before.status, before.attempt, before.runAt],
    TaskLog.added(before, after),
    more
  ])
}

/** That an entry has changed. */
export const entry = (name: string): string => JSON.stringify([name])

type Unplaced = Omit<Change, "position"> & { readonly isLong?: boolean }

interface Read {
  readonly changes: ReadonlyArray<Change & { readonly isLong?: boolean }>
  /** Names of entries that have changed. */
  readonly entries: ReadonlyArray<string>
}

/** What a row tells, in its order. What cannot be read is left out: it is of another version. */
export const read = (body: string, positionOf: (index: number) => number): Read => {
  const found: unknown = JSON.parse(body)
  const changes: Array<Change & { readonly isLong?: boolean }> = []
  const entries: Array<string> = []
  for (const [index, one] of (Array.isArray(found) ? found : []).entries()) {
    if (Predicate.isString(one)) entries.push(one)
    if (!Array.isArray(one)) continue
    const change = one.length === claimLength ? readClaim(one) : readChange(one)
    if (change !== undefined) changes.push({ ...change, position: positionOf(index) })
  }
  return { changes, entries }
}

/** What the statement of a claim tells of each: fewer things than a change. */
const claimLength = 8

const isStatus = (input: unknown): input is Told["status"] =>
  input === "PENDING" || input === "PROCESSING" || input === "COMPLETED" || input === "FAILED"

/** The rest of a told task, read as a task is read: what only few have. */
const rare = (more: object): Pick<Told, "failure" | "progress" | "callback"> => {
  const read = fromWire({ ...blank, ...more })
  if (Result.isFailure(read)) return none
  const { callback, failure, progress } = read.success
  return { failure, progress, ...(callback === undefined ? {} : { callback }) }
}

const none: Pick<Told, "failure" | "progress" | "callback"> = { failure: null, progress: null }

const readChange = (one: ReadonlyArray<unknown>): Unplaced | undefined => {
  const [id, type, tags, status, attempt, runAt, revision, result, was, lines, more] = one
  if (!isId(id) || !Predicate.isString(type) || !isStrings(tags) || !isStatus(status)) return undefined
  if (!Predicate.isNumber(attempt) || !Predicate.isNumber(runAt) || !Predicate.isNumber(revision)) return undefined
  if ((result !== null && !Predicate.isString(result)) || !isStrings(lines) || !Predicate.isObject(more))
    return undefined
  const others = "failure" in more || "progress" in more || "callback" in more ? rare(more) : none
  const task: Told = { id, type, tags, status, attempt, runAt, revision, result, ...others }
  if ("gone" in more) return { before: task, after: undefined, lines }
  const before = Array.isArray(was) ? beforeOf(task, was, "moved" in more) : undefined
  return { before, after: task, lines, ...("long" in more ? { isLong: true } : {}) }
}

const beforeOf = (task: Told, was: ReadonlyArray<unknown>, otherProgress: boolean): Told | undefined => {
  const [status, attempt, runAt] = was
  if (!isStatus(status) || !Predicate.isNumber(attempt) || !Predicate.isNumber(runAt)) return undefined
  return otherProgress ? { ...task, status, attempt, runAt, progress: null } : { ...task, status, attempt, runAt }
}

const isId = (input: unknown): input is Told["id"] => Predicate.isString(input)
const isStrings = (input: unknown): input is ReadonlyArray<string> =>
  Array.isArray(input) && input.every(Predicate.isString)

const readClaim = (one: ReadonlyArray<unknown>): Unplaced | undefined => {
  const [id, type, tagsText, attempt, maxAttempts, runAt, revision, at] = one
  if (!isId(id) || !Predicate.isString(type) || !Predicate.isString(tagsText)) return undefined
  if (!Predicate.isNumber(attempt) || !Predicate.isNumber(maxAttempts) || !Predicate.isNumber(runAt)) return undefined
  if (!Predicate.isNumber(revision) || !Predicate.isNumber(at)) return undefined
  const tags: unknown = tagsText === "[]" ? noTags : JSON.parse(tagsText)
  if (!isStrings(tags)) return undefined
  const after: Told = { id, type, tags, status: "PROCESSING", attempt, runAt, revision, result: null, ...none }
  return {
    before: { ...after, status: "PENDING", attempt: attempt - 1 },
    after,
    lines: [startedLine(at, attempt, maxAttempts)]
  }
}

const noTags: ReadonlyArray<string> = []

/** As the domain says it of a claim. */
const startedLine = (at: Instant, attempt: number, maxAttempts: number) =>
  TaskLog.line(at, `attempt ${attempt} of ${maxAttempts} started`)

const someTime = "1970-01-01T00:00:00.000Z"
const blank = {
  id: "00000000-0000-7000-8000-000000000000",
  content: "",
  created_at: someTime,
  status: "PROCESSING",
  result: null,
  logs: [],
  logs_dropped: 0,
  type: "none",
  priority: 0,
  run_at: someTime,
  updated_at: someTime,
  started_at: null,
  finished_at: null,
  attempt: 0,
  max_attempts: 0,
  attempts: [],
  failure: null,
  tags: [],
  progress: null,
  revision: 0
}
