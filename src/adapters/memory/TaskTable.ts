import { Effect, Option } from "effect"
import type { Instant, TaskId, TaskStatus, VenomTask } from "../../domain/Task.ts"
import type { PageRequest, TaskFilter, TaskPage } from "../../ports/StateRepository.ts"
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
  /** Ids, oldest first. */
  readonly #order: Array<TaskId> = []
  /** PENDING tasks, some of them outdated: an entry counts only while it is the task the table holds. */
  readonly #waiting = new Heap<VenomTask>(dueFirst)
  readonly #due = new Heap<VenomTask>(claimedFirst)
  readonly #counts: Record<TaskStatus, number> = { PENDING: 0, PROCESSING: 0, COMPLETED: 0, FAILED: 0 }

  get size(): number {
    return this.#tasks.size
  }

  get unfinished(): number {
    return this.#counts.PENDING + this.#counts.PROCESSING
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
    if (known === undefined) this.#remember(task.id)
    else this.#counts[known.status]--
    this.#counts[task.status]++
    this.#tasks.set(task.id, task)
    if (task.status === "PENDING") this.#await(task)
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

  /** Makes a task claimable again that was taken, or passed over as not free, and has not changed. */
  putBack(id: TaskId): void {
    const task = this.#tasks.get(id)
    if (task?.status === "PENDING") this.#await(task)
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
        let at = (before === undefined ? this.#order.length : this.#countOlderThan(before)) - 1
        for (let work = 0; at >= 0 && work < slice; at--) {
          const task = this.#at(at)
          if (task === undefined) continue
          work += filter.text === undefined ? 1 : 1 + task.content.length / searchedLikeOne
          if (!matches(task, filter)) continue
          if (tasks.length === request.limit) return Effect.succeed({ tasks, more: true })
          tasks.push(task)
        }
        if (at < 0) return Effect.succeed({ tasks, more: false })
        const next = this.#order[at + 1]
        return Effect.flatMap(Effect.yieldNow, () => search(next))
      }
      return search(request.before)
    })
  }

  #await(task: VenomTask): void {
    // outdated entries hold their contents: they go when they outnumber the rest
    if (this.#waiting.size + this.#due.size > 2 * this.#counts.PENDING + tidyAbove) {
      const entries = [...this.#waiting.drain(), ...this.#due.drain()].filter((entry) => this.#holds(entry))
      for (const entry of entries) this.#waiting.push(entry)
    }
    this.#waiting.push(task)
  }

  #at(index: number): VenomTask | undefined {
    const id = this.#order[index]
    return id === undefined ? undefined : this.#tasks.get(id)
  }

  #remember(id: TaskId): void {
    const newest = this.#order.at(-1)
    if (newest === undefined || newest < id) this.#order.push(id)
    else this.#order.splice(this.#countOlderThan(id), 0, id)
  }

  #countOlderThan(id: TaskId): number {
    let low = 0
    let high = this.#order.length
    while (low < high) {
      const middle = (low + high) >> 1
      const candidate = this.#order[middle]
      if (candidate !== undefined && candidate < id) low = middle + 1
      else high = middle
    }
    return low
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
