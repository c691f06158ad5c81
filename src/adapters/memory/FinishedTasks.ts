import { Option } from "effect"
import * as Span from "../../domain/Span.ts"
import type { Instant, VenomTask } from "../../domain/Task.ts"
import { Heap } from "./Heap.ts"

/** Outdated entries that nobody minds. */
const tidyAbove = 1000

const finishedFirst = (a: VenomTask, b: VenomTask): boolean => {
  const [ofA, ofB] = [a.finishedAt ?? 0, b.finishedAt ?? 0]
  return ofA !== ofB ? ofA < ofB : a.id < b.id
}

/** When a task with a retention of its own is to be deleted. */
const endOf = ({ finishedAt, retention }: VenomTask): Instant =>
  retention === undefined ? Number.POSITIVE_INFINITY : (finishedAt ?? 0) + Span.millis(retention)

/** Finished tasks in the order of their deletion, some of them outdated: an entry counts while it is the very task held. */
export class FinishedTasks {
  readonly #isHeld: (task: VenomTask) => boolean
  /** By their finishing. */
  readonly #finished = new Heap<VenomTask>(finishedFirst)
  /** Those that were found too old there, and have a retention of their own. */
  readonly #kept = new Heap<VenomTask>(finishedFirst)
  readonly #own = new Heap<VenomTask>((a, b) => endOf(a) < endOf(b))

  constructor(isHeld: (task: VenomTask) => boolean) {
    this.#isHeld = isHeld
  }

  /** A task that has finished, or was taken and has not changed; there are so many. */
  add(task: VenomTask, finished: number): void {
    this.#push(this.#finished, task, finished)
    if (task.retention !== undefined) this.#push(this.#own, task, finished)
  }

  /**
   * Takes those that are `free`, in the order of their finishing: as many as are too many, and of those without a
   * retention of their own all that finished by a time.
   */
  take(by: Instant, tooMany: number, limit: number, free: (task: VenomTask) => boolean): Array<VenomTask> {
    const taken: Array<VenomTask> = []
    let before: VenomTask | undefined
    let over = tooMany
    while (taken.length < limit) {
      const [first, kept] = [this.#firstOf(this.#finished), this.#firstOf(this.#kept)]
      const isKept = kept !== undefined && over > 0 && (first === undefined || finishedFirst(kept, first))
      const task = isKept ? kept : first
      if (task === undefined || (over <= 0 && (task.finishedAt ?? 0) > by)) break
      const heap = isKept ? this.#kept : this.#finished
      heap.pop()
      // put back while it was still here: the two entries come one after the other
      if (task === before) continue
      before = task
      if (over <= 0 && task.retention !== undefined) {
        this.#kept.push(task)
        continue
      }
      // one that is not free is on its way to be finished no more
      over--
      if (free(task)) taken.push(task)
    }
    return taken
  }

  /** Takes those that are `free` and whose own retention is over. */
  takeEnded(now: Instant, limit: number, free: (task: VenomTask) => boolean): Array<VenomTask> {
    const taken: Array<VenomTask> = []
    for (let task = this.#firstOf(this.#own); task !== undefined; task = this.#firstOf(this.#own)) {
      if (taken.length === limit || endOf(task) > now) break
      this.#own.pop()
      if (task !== taken.at(-1) && free(task)) taken.push(task)
    }
    return taken
  }

  /** When the first of those finished that are in the order of their finishing. */
  firstFinished(): Option.Option<Instant> {
    return Option.fromNullishOr(this.#firstOf(this.#finished)?.finishedAt)
  }

  /** When the next retention of its own is over. */
  nextEnd(): Option.Option<Instant> {
    return Option.map(Option.fromUndefinedOr(this.#firstOf(this.#own)), endOf)
  }

  // outdated entries hold their contents: they go when they outnumber the rest
  #push(heap: Heap<VenomTask>, task: VenomTask, finished: number): void {
    if (heap.size > 2 * finished + tidyAbove) {
      for (const entry of heap.drain()) if (this.#isHeld(entry)) heap.push(entry)
    }
    heap.push(task)
  }

  #firstOf(heap: Heap<VenomTask>): VenomTask | undefined {
    for (let task = heap.peek(); task !== undefined; task = heap.peek()) {
      if (this.#isHeld(task)) return task
      heap.pop()
    }
    return undefined
  }
}
