import { isFinished, type TaskRequest, type VenomTask } from "../../src/domain/Task.ts"
import { toWire } from "../../src/domain/TaskJson.ts"
import { keyOf, type Workload } from "./Workload.ts"

/** What is wrong with a task as it is: whatever has led there, it cannot be so. */
export const wrongs = function* (task: VenomTask, workload: Workload, cancelAsked: boolean): Generator<string> {
  yield* causeless(task, workload, cancelAsked)
  yield* torn(task)
}

/** Whether something that was asked for or has run can have led to this state. */
const causeless = function* (task: VenomTask, workload: Workload, cancelAsked: boolean): Generator<string> {
  const key = keyOf(task)
  const { ends, millis } = workload.outcome(key, task.attempt)
  if (task.status === "COMPLETED") {
    if (ends !== "completes") yield `${key} completed by an attempt that does not`
    if (task.result !== workload.result(key, task.attempt)) yield `${key} has another result: ${json(task)}`
  } else if (task.result !== null) yield `${key} has a result and is ${task.status}`
  if (task.status === "FAILED") {
    if (task.failure === null) return yield `${key} is FAILED without a failure`
    const { reason } = task.failure
    const isOverdue = (task.deadline ?? Infinity) <= (task.finishedAt ?? 0)
    const may =
      (reason === "cancelled" && cancelAsked) ||
      (reason === "error" && ends.startsWith("fails")) ||
      (reason === "defect" && ends === "dies") ||
      (reason === "timeout" && (ends === "never ends" || millis > 900 || isOverdue)) ||
      reason === "crashed"
    if (!may) yield `${key} has no cause to be FAILED (${reason})`
  } else if (task.failure !== null) yield `${key} has a failure and is ${task.status}`
}

/** Whether the parts of a task can belong to one state of it: none is left from before, none is missing. */
const torn = function* (task: VenomTask): Generator<string> {
  const key = keyOf(task)
  const { attempt, attempts, logs, logsDropped, startedAt, status } = task
  if (isFinished(task) !== (task.finishedAt !== null)) yield `${key} is ${status} and finished at ${task.finishedAt}`
  const newest = attempts.at(-1)
  const runs = newest?.attempt === attempt && newest.finishedAt === null && newest.startedAt === startedAt
  if (runs !== (status === "PROCESSING")) yield `${key} is ${status} with attempts that say otherwise: ${json(task)}`
  if (attempts.some((one, at) => one.attempt > attempt || one.attempt <= (attempts[at - 1]?.attempt ?? 0)))
    yield `${key} has attempts that do not follow each other: ${json(task)}`
  if (attempts.slice(0, -1).some(({ finishedAt }) => finishedAt === null))
    yield `${key} has an earlier attempt without an end: ${json(task)}`
  if (status === "COMPLETED" && (newest?.outcome !== "completed" || newest.attempt !== attempt))
    yield `${key} completed without an attempt that did: ${json(task)}`
  // every change says something
  if (logs.length + logsDropped < task.revision) yield `${key} has lost lines of its log: ${json(task)}`
}

/** Whether it is still the task that was asked for, and the one that it was. */
export const changed = function* (
  task: VenomTask,
  request: TaskRequest,
  before: VenomTask | undefined
): Generator<string> {
  const key = keyOf(task)
  if (task.content !== request.content) yield `${key} has another content: ${JSON.stringify(task.content)}`
  if (task.priority !== (request.priority ?? 0) || task.type !== (request.type ?? "default"))
    yield `${key} has changed what was asked for: ${json(task)}`
  if (task.deadline !== request.deadline || task.retention !== request.retention)
    yield `${key} has other times than were asked for: ${json(task)}`
  if (before !== undefined && (before.id !== task.id || before.createdAt !== task.createdAt))
    yield `${key} is another task now: ${json(before)} ${json(task)}`
}

/** At most one unfinished task has a unique key. */
export const notUnique = function* (tasks: ReadonlyArray<VenomTask>): Generator<string> {
  const holders = new Map<string, VenomTask>()
  for (const task of tasks) {
    if (task.uniqueKey === undefined || isFinished(task)) continue
    const holder = holders.get(task.uniqueKey)
    if (holder !== undefined) yield `${brief(holder)} and ${brief(task)} both have the unique key ${task.uniqueKey}`
    holders.set(task.uniqueKey, task)
  }
}

/** Whether it may have gone on from one state to the other. */
export const illegal = function* (before: VenomTask, after: VenomTask, retryAsked: boolean): Generator<string> {
  const key = keyOf(after)
  if (after.revision < before.revision) return yield `${key} went back from ${brief(before)} to ${brief(after)}`
  if (after.revision === before.revision) {
    if (!same(before, after)) yield `${key} changed without a new revision: ${json(before)} ${json(after)}`
    return
  }
  // where the clock went back a claim is one millisecond after the one before, whatever the time is
  const isClaim = after.startedAt !== before.startedAt && after.startedAt !== (before.startedAt ?? 0) + 1
  if (isClaim && (after.deadline ?? Infinity) < (after.startedAt ?? 0))
    yield `${key} was claimed after its deadline: ${json(after)}`
  if (before.status === "COMPLETED") yield `${key} was COMPLETED and changed to ${json(after)}`
  if (before.status === "FAILED" && !retryAsked) yield `${key} was FAILED and changed to ${json(after)}`
}

/** Which edge of the state machine has led there, as far as two states tell. */
export const step = (before: VenomTask | undefined, { attempt, attempts, failure, status }: VenomTask): string => {
  const from = before?.status ?? "nothing"
  const how =
    failure !== null
      ? failure.reason
      : from === "PROCESSING" && status === "PENDING"
        ? before !== undefined && attempt < before.attempt
          ? "released"
          : (attempts.at(-1)?.outcome ?? "")
        : ""
  return `${from} to ${status}${how === "" ? "" : ` (${how})`}`
}

export const json = (task: VenomTask): string => JSON.stringify(toWire(task))
export const same = (a: VenomTask, b: VenomTask): boolean => json(a) === json(b)
export const brief = (task: VenomTask): string =>
  `${keyOf(task)} ${task.status} attempt ${task.attempt} revision ${task.revision}`
