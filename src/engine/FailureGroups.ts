import type { FailureReason, Instant, TaskId } from "../domain/Task.ts"

const minute = 60_000
const hour = 60 * minute

/** Groups held at most; the one that was quiet for longest makes room. */
const mostGroups = 200

/** The newest tasks that are named. */
const mostTasks = 3

export interface Failure {
  readonly id: TaskId
  readonly type: string
  readonly reason: FailureReason
  readonly message: string
}

/** What failed alike within the last hour. */
export interface FailureGroup extends Omit<Failure, "id"> {
  readonly count: number
  readonly firstAt: Instant
  readonly lastAt: Instant
  /** The newest ones, the newest first. */
  readonly tasks: ReadonlyArray<TaskId>
}

interface Group {
  /** Its message stands for those of all. */
  newest: Failure
  tasks: ReadonlyArray<TaskId>
  /** Those of one minute, the oldest first. */
  readonly minutes: Array<{ count: number; readonly firstAt: Instant; lastAt: Instant }>
}

/** Failures by what they have in common: their type, their reason, and their message but for numbers in it. */
export class FailureGroups {
  /** The one that was quiet for longest first. */
  readonly #groups = new Map<string, Group>()

  add(failure: Failure, at: Instant): void {
    const key = JSON.stringify([failure.type, failure.reason, alike(failure.message)])
    const group = this.#groups.get(key) ?? { newest: failure, tasks: [], minutes: [] }
    this.#groups.delete(key)
    this.#groups.set(key, group)
    group.newest = failure
    group.tasks = [failure.id, ...group.tasks.filter((id) => id !== failure.id)].slice(0, mostTasks)
    const last = group.minutes.at(-1)
    if (last === undefined || at - last.firstAt >= minute) {
      group.minutes.push({ count: 1, firstAt: at, lastAt: at })
    } else {
      last.count++
      last.lastAt = Math.max(last.lastAt, at)
    }
    forgetBefore(group, at - hour)
    if (this.#groups.size > mostGroups) this.#groups.delete(this.#groups.keys().next().value ?? key)
  }

  /** Those of the last hour, the most frequent first. */
  until(now: Instant): ReadonlyArray<FailureGroup> {
    const found: Array<FailureGroup> = []
    for (const [key, group] of this.#groups) {
      forgetBefore(group, now - hour)
      const [first] = group.minutes
      if (first === undefined) this.#groups.delete(key)
      else found.push(told(group, first.firstAt))
    }
    return found.sort((a, b) => b.count - a.count || b.lastAt - a.lastAt)
  }
}

const told = ({ minutes, newest, tasks }: Group, firstAt: Instant): FailureGroup => ({
  type: newest.type,
  reason: newest.reason,
  message: newest.message,
  count: minutes.reduce((sum, { count }) => sum + count, 0),
  firstAt,
  lastAt: minutes.at(-1)?.lastAt ?? firstAt,
  tasks
})

const forgetBefore = ({ minutes }: Group, time: Instant): void => {
  while (minutes[0] !== undefined && minutes[0].lastAt < time) minutes.shift()
}

/** Ids and numbers make no difference. */
const alike = (message: string): string =>
  message
    .slice(0, 200)
    .replaceAll(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/gi, "#")
    .replaceAll(/0x[\da-f]+|\d+(?:\.\d+)?/gi, "#")
