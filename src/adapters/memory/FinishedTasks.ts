import { Option } from "effect"
import * as Span from "../../domain/Span.ts"
import type { Instant, TaskId, VenomTask } from "../../domain/Task.ts"
import type { Retention } from "../../ports/StateRepository.ts"
import { Heap } from "./Heap.ts"

/** Outdated entries that nobody minds. */
const tidyAbove = 1000

type IsBefore = (a: VenomTask, b: VenomTask) => boolean

const by =
  (time: (task: VenomTask) => Instant): IsBefore =>
  (a, b) => {
    const [ofA, ofB] = [time(a), time(b)]
    return ofA !== ofB ? ofA < ofB : a.id < b.id
  }

const finishOf = ({ finishedAt }: VenomTask): Instant => finishedAt ?? 0

/** When the time of a finished task is over: by its own retention, or by that of its status. */
const endOf = (task: VenomTask, { COMPLETED, FAILED }: Retention): Instant => {
  const { retention, status } = task
  const usual = status === "FAILED" ? FAILED : COMPLETED
  return finishOf(task) + (retention === undefined ? usual : Span.millis(retention))
}

const finishedFirst = by(finishOf)
const ownEndFirst = by((task) => endOf(task, { COMPLETED: 0, FAILED: 0 }))

/**
 * Finished tasks in the orders of their deletion. Some entries are outdated: one counts while it is the very task held,
 * and until it is taken.
 */
export class FinishedTasks {
  readonly #isHeld: (task: VenomTask) => boolean
  readonly #completed = new Heap<VenomTask>(finishedFirst)
  readonly #failed = new Heap<VenomTask>(finishedFirst)
  /** Those with a retention of their own are here, by its end, and once more by their finishing. */
  readonly #own = new Heap<VenomTask>(ownEndFirst)
  readonly #ownByFinish = new Heap<VenomTask>(finishedFirst)
  readonly #taken = new Set<TaskId>()
  /** Those that were passed over as not free: they stay whatever is too many, and come back when they have changed. */
  readonly #passed = new Set<TaskId>()

  constructor(isHeld: (task: VenomTask) => boolean) {
    this.#isHeld = isHeld
  }

  /** A task that has finished, or was taken or passed over and has not changed; there are so many. */
  add(task: VenomTask, finished: number): void {
    this.#taken.delete(task.id)
    this.#passed.delete(task.id)
    const heaps =
      task.retention !== undefined
        ? [this.#own, this.#ownByFinish]
        : [task.status === "FAILED" ? this.#failed : this.#completed]
    for (const heap of heaps) {
      // outdated entries hold their contents: they go when they outnumber the rest
      if (heap.size > 2 * finished + tidyAbove) {
        for (const entry of heap.drain()) if (this.#counts(entry)) heap.push(entry)
      }
      heap.push(task)
    }
  }

  /** A task that is no more, or finished no more. */
  forget(id: TaskId): void {
    this.#taken.delete(id)
    this.#passed.delete(id)
  }

  /** Takes those that are `free`: first those whose time is over, then as many of the oldest as are too many. */
  take(options: {
    readonly now: Instant
    readonly retention: Retention
    readonly tooMany: number
    readonly limit: number
    readonly free: (task: VenomTask) => boolean
  }): Array<VenomTask> {
    const { free, limit, now, retention } = options
    const taken: Array<VenomTask> = []
    let over = options.tooMany - this.#passed.size
    while (taken.length < limit) {
      const ended = this.#nextToEnd(retention)
      const heap = ended !== undefined && ended.end <= now ? ended.heap : over > 0 ? this.#withOldest() : undefined
      const task = heap?.pop()
      if (task === undefined) break
      if (this.#passed.has(task.id)) continue
      over--
      if (free(task)) {
        taken.push(task)
        this.#taken.add(task.id)
      } else this.#passed.add(task.id)
    }
    return taken
  }

  /** When the time of the next one is over. */
  nextEnd(retention: Retention): Option.Option<Instant> {
    const end = this.#nextToEnd(retention)?.end
    return end !== undefined && Number.isFinite(end) ? Option.some(end) : Option.none()
  }

  #nextToEnd(retention: Retention): { readonly heap: Heap<VenomTask>; readonly end: Instant } | undefined {
    const isBefore = by((task) => endOf(task, retention))
    const heap = this.#withFirst([this.#completed, this.#failed, this.#own], isBefore)
    const task = heap?.peek()
    return heap === undefined || task === undefined ? undefined : { heap, end: endOf(task, retention) }
  }

  #withOldest(): Heap<VenomTask> | undefined {
    return this.#withFirst([this.#completed, this.#failed, this.#ownByFinish], finishedFirst)
  }

  /** The heap whose least task is before those of the others; it is one that counts. */
  #withFirst(heaps: ReadonlyArray<Heap<VenomTask>>, isBefore: IsBefore): Heap<VenomTask> | undefined {
    let found: Heap<VenomTask> | undefined
    let first: VenomTask | undefined
    for (const heap of heaps) {
      const task = this.#tidied(heap)
      if (task === undefined || (first !== undefined && !isBefore(task, first))) continue
      found = heap
      first = task
    }
    return found
  }

  #tidied(heap: Heap<VenomTask>): VenomTask | undefined {
    for (let task = heap.peek(); task !== undefined; task = heap.peek()) {
      if (this.#counts(task)) return task
      heap.pop()
    }
    return undefined
  }

  #counts(task: VenomTask): boolean {
    return this.#isHeld(task) && !this.#taken.has(task.id)
  }
}
