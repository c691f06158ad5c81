import * as Span from "../../src/domain/Span.ts"
import { isFinished, type VenomTask } from "../../src/domain/Task.ts"
import { brief } from "./TaskChecks.ts"

/** How long by their status, and how many, finished tasks are kept. */
export interface Retention {
  readonly COMPLETED: number
  readonly FAILED: number
  readonly count: number
}

export const forEver: Retention = {
  COMPLETED: Number.POSITIVE_INFINITY,
  FAILED: Number.POSITIVE_INFINITY,
  count: Number.POSITIVE_INFINITY
}

export const isOld = ({ finishedAt, retention, status }: VenomTask, kept: Retention, wallClock: number): boolean => {
  const millis = retention !== undefined ? Span.millis(retention) : status === "FAILED" ? kept.FAILED : kept.COMPLETED
  return (finishedAt ?? wallClock) <= wallClock - millis
}

/** Why it may be gone. */
export const cause = (task: VenomTask, kept: Retention, wallClock: number): string =>
  !isOld(task, kept, wallClock)
    ? "by number"
    : task.retention === undefined
      ? `by age, ${task.status}`
      : "by its own retention"

/** Finished tasks that should be gone, or are among those of which some should. */
export const overdue = (
  tasks: ReadonlyArray<VenomTask>,
  kept: Retention,
  wallClock: number
): ReadonlyArray<VenomTask> => {
  const finished = tasks.filter(isFinished)
  return finished.length > kept.count ? finished : finished.filter((task) => isOld(task, kept, wallClock))
}

/**
 * Only what is finished goes, when it is too old, or there are too many, and those first that finished first. One
 * that `leaves` may be retried at that moment: it counts no more, and stays.
 */
export const wrongs = function* (options: {
  readonly missing: ReadonlyArray<VenomTask>
  readonly left: ReadonlyArray<VenomTask>
  readonly leaves: (task: VenomTask) => boolean
  readonly kept: Retention
  readonly wallClock: number
}): Generator<string> {
  const { kept, leaves, missing, wallClock } = options
  const left = options.left.filter(isFinished)
  const tooMany = missing.filter((task) => !isOld(task, kept, wallClock))
  for (const task of missing) if (!isFinished(task)) yield `no longer visible: ${brief(task)}`
  if (tooMany.length > 0 && left.length + [...missing, ...options.left].filter(leaves).length < kept.count)
    yield `no longer visible, though neither old nor too many: ${tooMany.map(brief).join(", ")}`
  for (const { finishedAt } of tooMany) {
    const older = left.find((task) => (task.finishedAt ?? 0) < (finishedAt ?? 0) && !leaves(task))
    if (older !== undefined) yield `${brief(older)} finished earlier than tasks that are gone`
  }
}
