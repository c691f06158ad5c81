import { Predicate, Result } from "effect"
import type { Instant, VenomTask } from "../../domain/Task.ts"
import { fromWire, toWire } from "../../domain/TaskJson.ts"
import * as TaskLog from "../../domain/TaskLog.ts"
import type { Change, Told } from "../../ports/StateRepository.ts"

/** A change as a row of `venom.change` has it, before it has its place. */
export const write = (before: VenomTask | undefined, after: VenomTask | undefined): string => {
  const task = after ?? before
  return task === undefined
    ? "{}"
    : JSON.stringify({
        task: toWire({ ...task, content: "", logs: [], attempts: [] }),
        before: before === undefined ? null : { status: before.status, attempt: before.attempt, run_at: before.runAt },
        lines: TaskLog.added(before, after),
        progress: after?.progress !== before?.progress,
        gone: after === undefined
      })
}

/** That an entry has changed. */
export const entry = (name: string): string => JSON.stringify([name])

interface Read {
  readonly changes: ReadonlyArray<Change>
  /** Names of entries that have changed. */
  readonly entries: ReadonlyArray<string>
}

/** What a row tells, in its order. What cannot be read is left out: it is of another version. */
export const read = (body: string, positionOf: (index: number) => number): Read => {
  const found: unknown = JSON.parse(body)
  const changes: Array<Change> = []
  const entries: Array<string> = []
  for (const [index, one] of (Array.isArray(found) ? found : []).entries()) {
    if (Predicate.isString(one)) entries.push(one)
    const change = Array.isArray(one) ? readClaim(one) : readChange(one)
    if (change !== undefined) changes.push({ ...change, position: positionOf(index) })
  }
  return { changes, entries }
}

type Unplaced = Omit<Change, "position">

const readChange = (one: unknown): Unplaced | undefined => {
  if (!Predicate.isObject(one) || !("task" in one)) return undefined
  const read = fromWire(one.task)
  if (Result.isFailure(read)) return undefined
  const task: Told = read.success
  const was = "before" in one ? one.before : null
  const lines = "lines" in one && Array.isArray(one.lines) ? one.lines.filter(Predicate.isString) : []
  const isGone = "gone" in one && one.gone === true
  if (isGone) return { before: task, after: undefined, lines }
  return { before: beforeOf(task, was, "progress" in one && one.progress === true), after: task, lines }
}

const beforeOf = (task: Told, was: unknown, otherProgress: boolean): Told | undefined => {
  if (!Predicate.isObject(was) || !("status" in was && "attempt" in was && "run_at" in was)) return undefined
  const { attempt, run_at: runAt, status } = was
  if (!isStatus(status) || !Predicate.isNumber(attempt) || !Predicate.isNumber(runAt)) return undefined
  return { ...task, status, attempt, runAt, ...(otherProgress ? { progress: null } : {}) }
}

const isStatus = (input: unknown): input is Told["status"] =>
  input === "PENDING" || input === "PROCESSING" || input === "COMPLETED" || input === "FAILED"

const readClaim = (one: ReadonlyArray<unknown>): Unplaced | undefined => {
  const [id, type, tags, attempt, maxAttempts, runAt, revision, at] = one
  if (!Predicate.isString(tags) || !Predicate.isNumber(attempt) || !Predicate.isNumber(at)) return undefined
  const wire = { ...blank, id, type, tags: JSON.parse(tags), attempt, max_attempts: maxAttempts, revision }
  const read = fromWire(wire)
  if (Result.isFailure(read) || !Predicate.isNumber(runAt)) return undefined
  const after: Told = { ...read.success, runAt }
  return {
    before: { ...after, status: "PENDING", attempt: attempt - 1 },
    after,
    lines: [startedLine(at, attempt, maxAttempts)]
  }
}

/** As the domain says it of a claim. */
const startedLine = (at: Instant, attempt: number, maxAttempts: unknown) =>
  TaskLog.line(at, `attempt ${attempt} of ${String(maxAttempts)} started`)

const none = "1970-01-01T00:00:00.000Z"
const blank = {
  content: "",
  created_at: none,
  status: "PROCESSING",
  result: null,
  logs: [],
  logs_dropped: 0,
  priority: 0,
  run_at: none,
  updated_at: none,
  started_at: null,
  finished_at: null,
  attempts: [],
  failure: null,
  progress: null
}
