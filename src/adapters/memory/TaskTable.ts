import { Effect, type Option } from "effect"
import * as Callback from "../../domain/Callback.ts"
import { type Flow, free, type Rate, type TypeLimits, within } from "../../domain/Flow.ts"
import { type Instant, isFinished, type TaskId, type TaskStatus, type VenomTask } from "../../domain/Task.ts"
import type { Standing } from "../../domain/Why.ts"
import type { Overdue, PageRequest, QueueCounts, Retention, TaskFilter, TaskPage } from "../../ports/StateRepository.ts"
import { AgeIndex } from "./AgeIndex.ts"
import { Deadlines } from "./Deadlines.ts"
import { FinishedTasks } from "./FinishedTasks.ts"
import { PendingTasks } from "./PendingTasks.ts"
import type { Start } from "./RateWindow.ts"
import { RecentStarts } from "./RecentStarts.ts"
import { TypeCounts } from "./TypeCounts.ts"

/** Tasks looked at before a search lets others run. */
const slice = 2000

/** Characters of content to search through that take as long as a task without. */
const searchedLikeOne = 2000

const matches = (task: VenomTask, filter: TaskFilter): boolean =>
  (filter.status === undefined || task.status === filter.status) &&
  (filter.type === undefined || task.type === filter.type) &&
  (filter.tag === undefined || task.tags.includes(filter.tag)) &&
  (filter.owed === undefined || Callback.isOwed(task)) &&
  (filter.text === undefined || task.content.includes(filter.text))

/**
 * Tasks in memory, found by id, by age and by urgency. Mutable, and owned by one repository: tasks are
 * immutable values, so whoever holds one is never surprised.
 */
export class TaskTable {
  readonly #tasks = new Map<TaskId, VenomTask>()
  readonly #ages = new AgeIndex((id) => this.#tasks.get(id))
  readonly #deadlines = new Deadlines((task) => this.#holds(task))
  readonly #pending = new PendingTasks((task) => this.#holds(task))
  readonly #finished = new FinishedTasks((task) => this.#holds(task))
  readonly #counts: Record<TaskStatus, number> = { PENDING: 0, PROCESSING: 0, COMPLETED: 0, FAILED: 0 }
  readonly #types = new TypeCounts()
  readonly #limits: TypeLimits
  readonly #coming: () => Iterable<VenomTask>
  /** Those that are looked for, and those that were found and not yet asked for. */
  readonly #recent = new Set<RecentStarts>()

  /** What this process can run at once, whatever the flow lets it; and the states that are decided and not yet set. */
  constructor(limits: TypeLimits = {}, coming: () => Iterable<VenomTask> = () => []) {
    this.#limits = limits
    this.#coming = coming
    this.flow = free
  }

  /** What holds back tasks, the limits of this process included. */
  get flow(): Flow {
    return this.#pending.flow
  }

  /** What holds back tasks that are due, from now on. */
  set flow(flow: Flow) {
    this.#pending.setFlow(within(flow, this.#limits), (rates) => this.#startsOf(rates))
  }

  /**
   * Sets a flow, by what is given, when it is known what its new rates count: that is looked for in slices, and else
   * while everybody waits.
   */
  knowingStarts<A, E>(flow: Flow, set: Effect.Effect<A, E>): Effect.Effect<A, E> {
    const rates = newRates(this.flow, flow)
    if (rates.size === 0) return set
    const recent = new RecentStarts(rates)
    return Effect.forEach(recent.types, (type) => Effect.andThen(Effect.yieldNow, this.#look(recent, type))).pipe(
      Effect.andThen(set),
      Effect.ensuring(Effect.sync(() => this.#recent.delete(recent))),
      Effect.uninterruptible
    )
  }

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

  /** Adds a task or puts a newer state of it in place; tells which. */
  set(task: VenomTask): "added" | "changed" {
    const known = this.#tasks.get(task.id)
    this.#tasks.set(task.id, task)
    for (const recent of this.#recent) recent.note(task)
    this.#types.set(known, task)
    this.#counts[task.status]++
    if (known === undefined) this.#ages.add(task)
    else {
      this.#counts[known.status]--
      this.#ages.change(known, task)
    }
    this.#pending.note(task, known === undefined, this.#counts.PENDING)
    this.#deadlines.note(task, this.#counts.PENDING)
    if (isFinished(task)) this.#finished.add(task, this.finished)
    else if (known !== undefined && isFinished(known)) this.#finished.forget(task.id)
    return known === undefined ? "added" : "changed"
  }

  /** A pruned task: from now on it is as if it had never been there. */
  delete(id: TaskId): void {
    const known = this.#tasks.get(id)
    if (known === undefined) return
    this.#ages.remove(known)
    this.#counts[known.status]--
    this.#types.delete(known)
    this.#tasks.delete(id)
    this.#finished.forget(id)
    this.#pending.forget(known)
  }

  /** Counts in what is due by now. */
  promote(now: Instant): Effect.Effect<void> {
    return this.#pending.promote(now)
  }

  /**
   * Takes the most urgent PENDING tasks that were counted in as due, of the `types`, not held back by the flow, and `free`. They
   * count as running until they come back by `set` in another state, or by `putBack`.
   */
  takeDue(options: Parameters<PendingTasks["take"]>[0]): Array<VenomTask> {
    return this.#pending.take(options)
  }

  /** PENDING tasks whose deadline has passed. */
  overdue(now: Instant, limit: number): Overdue {
    return this.#deadlines.overdue(now, limit)
  }

  /** Takes finished tasks that are to be deleted. They go by `delete` or come back by `putBack`. */
  takeFinished(options: Parameters<FinishedTasks["take"]>[0]): Array<VenomTask> {
    return this.#finished.take(options)
  }

  /** When the time of the next finished task is over. */
  nextEnd(retention: Retention): Option.Option<Instant> {
    return this.#finished.nextEnd(retention)
  }

  /** Makes a task takeable again that was taken, or passed over as not free, and has not changed. */
  putBack(id: TaskId): void {
    const task = this.#tasks.get(id)
    if (task === undefined) return
    if (isFinished(task)) this.#finished.add(task, this.finished)
    else this.#pending.putBack(task, this.#counts.PENDING)
  }

  nextDue(types?: ReadonlySet<string>): Option.Option<Instant> {
    return this.#pending.nextDue(types)
  }

  standing(task: VenomTask, now: Instant, types: ReadonlySet<string> | undefined): Effect.Effect<Standing> {
    return this.#pending.standing(task, now, types)
  }

  /** At most so many types are told apart, and those that the flow names. */
  queueCounts(now: Instant, limit: number): QueueCounts {
    const types = new Set([...Object.keys(this.flow.types), ...this.#types.first(limit)])
    return {
      statuses: this.counts,
      types: Array.from(types, (type) => ({ type, statuses: this.#types.of(type) })),
      oldestDue: this.#pending.oldest(now)
    }
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

  /** Notes what tasks of a type know, and from now on what becomes of those that change meanwhile. */
  #look(recent: RecentStarts, type: string, before?: TaskId): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#recent.add(recent)
      let seen = before
      let work = 0
      for (const id of this.#ages.newestFirst({ type }, before)) {
        if (work++ >= slice) return Effect.andThen(Effect.yieldNow, this.#look(recent, type, seen))
        seen = id
        const task = this.#tasks.get(id)
        if (task !== undefined) recent.note(task)
      }
      return Effect.void
    })
  }

  #startsOf(rates: ReadonlyMap<string, Rate>): ReadonlyMap<string, ReadonlyArray<Start>> {
    const starts = new Map<string, ReadonlyArray<Start>>()
    const unknown = new Map<string, Rate>()
    // what has begun a moment ago counts too
    for (const recent of this.#recent) for (const task of this.#coming()) recent.note(task)
    for (const [type, rate] of rates) {
      const known = Array.from(this.#recent, (recent) => recent.of(type, rate)).find((found) => found !== undefined)
      if (known === undefined) unknown.set(type, rate)
      else starts.set(type, known)
    }
    if (unknown.size === 0) return starts
    const recent = new RecentStarts(unknown)
    for (const task of this.#tasks.values()) recent.note(task)
    for (const task of this.#coming()) recent.note(task)
    for (const [type, rate] of unknown) starts.set(type, recent.of(type, rate) ?? [])
    return starts
  }

  #holds(task: VenomTask): boolean {
    return this.#tasks.get(task.id) === task
  }
}

const newRates = (before: Flow, after: Flow): ReadonlyMap<string, Rate> => {
  const rates = new Map<string, Rate>()
  for (const [type, { rate }] of Object.entries(after.types)) {
    const known = before.types[type]?.rate
    if (rate !== undefined && (rate.limit !== known?.limit || rate.per !== known.per)) rates.set(type, rate)
  }
  return rates
}
