import { Effect, Option } from "effect"
import { type Flow, free } from "../../domain/Flow.ts"
import { type Instant, isFinished, type TaskId, type TaskStatus, type VenomTask } from "../../domain/Task.ts"
import type { PageRequest, TaskFilter, TaskPage } from "../../ports/StateRepository.ts"
import { AgeIndex } from "./AgeIndex.ts"
import { Heap } from "./Heap.ts"

/** Tasks looked at before a search lets others run. */
const slice = 2000

/** Characters of content to search through that take as long as a task without. */
const searchedLikeOne = 2000

/** Outdated entries that nobody minds. */
const tidyAbove = 1000

const claimedFirst = (a: VenomTask, b: VenomTask): boolean =>
  a.priority !== b.priority ? a.priority < b.priority : dueFirst(a, b)

const dueFirst = (a: VenomTask, b: VenomTask): boolean => (a.runAt !== b.runAt ? a.runAt < b.runAt : a.id < b.id)

const finishedFirst = (a: VenomTask, b: VenomTask): boolean => {
  const [ofA, ofB] = [a.finishedAt ?? 0, b.finishedAt ?? 0]
  return ofA !== ofB ? ofA < ofB : a.id < b.id
}

const matches = (task: VenomTask, filter: TaskFilter): boolean =>
  (filter.status === undefined || task.status === filter.status) &&
  (filter.type === undefined || task.type === filter.type) &&
  (filter.tag === undefined || task.tags.includes(filter.tag)) &&
  (filter.text === undefined || task.content.includes(filter.text))

/**
 * Tasks in memory, found by id, by age and by urgency. Mutable, and owned by one repository: tasks are
 * immutable values, so whoever holds one is never surprised.
 */
export class TaskTable {
  readonly #tasks = new Map<TaskId, VenomTask>()
  readonly #ages = new AgeIndex((id) => this.#tasks.get(id))
  /** PENDING tasks, some of them outdated: an entry counts only while it is the task the table holds. */
  readonly #waiting = new Heap<VenomTask>(dueFirst)
  readonly #due = new Heap<VenomTask>(claimedFirst)
  /** Finished tasks, some of them outdated likewise. */
  readonly #finished = new Heap<VenomTask>(finishedFirst)
  readonly #counts: Record<TaskStatus, number> = { PENDING: 0, PROCESSING: 0, COMPLETED: 0, FAILED: 0 }

  flow: Flow = free

  get size(): number {
    return this.#tasks.size
  }

  get unfinished(): number {
    return this.#counts.PENDING + this.#counts.PROCESSING
  }

  get finished(): number {
    return this.#counts.COMPLETED + this.#counts.FAILED
  }

  get counts(): Readonly<Record<TaskStatus, number>> {
    return { ...this.#counts }
  }

  get(id: TaskId): VenomTask | undefined {
    return this.#tasks.get(id)
  }

  /** Every task: the references of this moment. */
  snapshot(): ReadonlyArray<VenomTask> {
    return Array.from(this.#tasks.values())
  }

  /** Adds a task or puts a newer state of it in place. */
  set(task: VenomTask): void {
    const known = this.#tasks.get(task.id)
    this.#tasks.set(task.id, task)
    this.#counts[task.status]++
    if (known === undefined) this.#ages.add(task)
    else {
      this.#counts[known.status]--
      this.#ages.change(known, task)
    }
    this.#enqueue(task)
  }

  /** A pruned task: from now on it is as if it had never been there. */
  delete(id: TaskId): void {
    const known = this.#tasks.get(id)
    if (known === undefined) return
    this.#ages.remove(known)
    this.#counts[known.status]--
    this.#tasks.delete(id)
  }

  /** Takes the most urgent PENDING tasks that are due and `free`. They come back by `set` or `putBack`. */
  takeDue(now: Instant, limit: number, free: (task: VenomTask) => boolean): Array<VenomTask> {
    this.#promote(now)
    const taken: Array<VenomTask> = []
    while (taken.length < limit) {
      const task = this.#due.pop()
      if (task === undefined) break
      if (!this.#holds(task)) continue
      // the clock went back since it was due
      if (task.runAt > now) this.#waiting.push(task)
      // put back while it was still here: the two entries come one after the other
      else if (task !== taken.at(-1) && free(task)) taken.push(task)
    }
    return taken
  }

  /**
   * Takes finished tasks that are `free`, in the order of their finishing: those that have by a time, and as many
   * as are too many. They go by `delete` or come back by `putBack`.
   */
  takeFinished(by: Instant, tooMany: number, limit: number, free: (task: VenomTask) => boolean): Array<VenomTask> {
    const taken: Array<VenomTask> = []
    let before: VenomTask | undefined
    let over = tooMany
    while (taken.length < limit) {
      const task = this.#firstOf(this.#finished)
      if (task === undefined || (over <= 0 && (task.finishedAt ?? 0) > by)) break
      this.#finished.pop()
      // put back while it was still here, as above
      if (task === before) continue
      before = task
      // one that is not free is on its way to be finished no more
      over--
      if (free(task)) taken.push(task)
    }
    return taken
  }

  /** When the task finished that has been finished for longest. */
  firstFinished(): Option.Option<Instant> {
    return Option.fromNullishOr(this.#firstOf(this.#finished)?.finishedAt)
  }

  /** Makes a task takeable again that was taken, or passed over as not free, and has not changed. */
  putBack(id: TaskId): void {
    const task = this.#tasks.get(id)
    if (task !== undefined) this.#enqueue(task)
  }

  nextDue(): Option.Option<Instant> {
    const due = this.#firstOf(this.#due)
    const waiting = this.#firstOf(this.#waiting)
    if (due === undefined || waiting === undefined) {
      return Option.map(Option.fromUndefinedOr(due ?? waiting), ({ runAt }) => runAt)
    }
    return Option.some(Math.min(due.runAt, waiting.runAt))
  }

  page(filter: TaskFilter, request: PageRequest): Effect.Effect<TaskPage> {
    return Effect.suspend(() => {
      const tasks: Array<VenomTask> = []
      const search = (before: TaskId | undefined): Effect.Effect<TaskPage> => {
        let seen = before
        let work = 0
        for (const id of this.#ages.newestFirst(filter, before)) {
          const task = this.#tasks.get(id)
          if (task === undefined) continue
          if (work >= slice) return Effect.flatMap(Effect.yieldNow, () => search(seen))
          seen = id
          work += filter.text === undefined ? 1 : 1 + task.content.length / searchedLikeOne
          if (!matches(task, filter)) continue
          if (tasks.length === request.limit) return Effect.succeed({ tasks, more: true })
          tasks.push(task)
        }
        return Effect.succeed({ tasks, more: false })
      }
      return search(request.before)
    })
  }

  #enqueue(task: VenomTask): void {
    if (task.status === "PENDING") this.#await(task)
    else if (isFinished(task)) this.#retain(task)
  }

  // outdated entries hold their contents: they go when they outnumber the rest

  #retain(task: VenomTask): void {
    if (this.#finished.size > 2 * this.finished + tidyAbove) {
      for (const entry of this.#finished.drain()) if (this.#holds(entry)) this.#finished.push(entry)
    }
    this.#finished.push(task)
  }

  #await(task: VenomTask): void {
    if (this.#waiting.size + this.#due.size > 2 * this.#counts.PENDING + tidyAbove) {
      const entries = [...this.#waiting.drain(), ...this.#due.drain()].filter((entry) => this.#holds(entry))
      for (const entry of entries) this.#waiting.push(entry)
    }
    this.#waiting.push(task)
  }

  #holds(task: VenomTask): boolean {
    return this.#tasks.get(task.id) === task
  }

  #promote(now: Instant): void {
    for (let task = this.#waiting.peek(); task !== undefined && task.runAt <= now; task = this.#waiting.peek()) {
      this.#waiting.pop()
      if (this.#holds(task)) this.#due.push(task)
    }
  }

  #firstOf(heap: Heap<VenomTask>): VenomTask | undefined {
    for (let task = heap.peek(); task !== undefined; task = heap.peek()) {
      if (this.#holds(task)) return task
      heap.pop()
    }
    return undefined
  }
}
