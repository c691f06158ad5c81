import { Option } from "effect"
import type { Instant, VenomTask } from "../../domain/Task.ts"
import type { Overdue } from "../../ports/StateRepository.ts"
import { Heap } from "./Heap.ts"

/** Outdated entries that nobody minds. */
const tidyAbove = 1000

const deadlineOf = ({ deadline }: VenomTask): Instant => deadline ?? Number.POSITIVE_INFINITY

/** PENDING tasks with a deadline, some of them outdated: an entry counts while it is the very task that is held. */
export class Deadlines {
  readonly #isHeld: (task: VenomTask) => boolean
  readonly #heap = new Heap<VenomTask>((a, b) => deadlineOf(a) < deadlineOf(b))

  constructor(isHeld: (task: VenomTask) => boolean) {
    this.#isHeld = isHeld
  }

  /** A task that is new or in a new state; there are so many PENDING ones. */
  note(task: VenomTask, pending: number): void {
    if (task.deadline === undefined || task.status !== "PENDING") return
    // outdated entries hold their contents: they go when they outnumber the rest
    if (this.#heap.size > 2 * pending + tidyAbove) {
      for (const entry of this.#heap.drain()) if (this.#isHeld(entry)) this.#heap.push(entry)
    }
    this.#heap.push(task)
  }

  /** Those whose deadline has passed; they are told of until they change. */
  overdue(now: Instant, limit: number): Overdue {
    const tasks: Array<VenomTask> = []
    let next = this.#first()
    for (; next !== undefined && deadlineOf(next) <= now && tasks.length < limit; next = this.#first()) {
      this.#heap.pop()
      if (next !== tasks.at(-1)) tasks.push(next)
    }
    for (const task of tasks) this.#heap.push(task)
    return { tasks, next: next === undefined ? Option.none() : Option.some(deadlineOf(next)) }
  }

  #first(): VenomTask | undefined {
    for (let task = this.#heap.peek(); task !== undefined; task = this.#heap.peek()) {
      if (this.#isHeld(task)) return task
      this.#heap.pop()
    }
    return undefined
  }
}
