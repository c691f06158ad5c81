import { Effect, Option } from "effect"
import type { Flow } from "../../domain/Flow.ts"
import type { Instant, VenomTask } from "../../domain/Task.ts"
import type { Standing } from "../../domain/Why.ts"
import { DueQueue } from "./DueQueue.ts"
import type { StartsOf } from "./Groups.ts"
import { Heap } from "./Heap.ts"
import { dueFirst } from "./Lane.ts"
import * as Line from "./Line.ts"

/** Tasks that are counted in as due in one step of the event loop. */
const slice = 500

/** Outdated entries that nobody minds. */
const tidyAbove = 1000

export interface Take {
  readonly now: Instant
  readonly limit: number
  /** Of all types without. */
  readonly types?: ReadonlySet<string> | undefined
  readonly free: (task: VenomTask) => boolean
}

/** Tasks that wait for their time or their turn, some of them outdated, and those that are running. */
export class PendingTasks {
  readonly #isHeld: (task: VenomTask) => boolean
  /** Those that may not be due yet. */
  readonly #waiting = new Heap<VenomTask>(dueFirst)
  readonly #due: DueQueue

  /** An entry counts as long as it is the very task that is held. */
  constructor(isHeld: (task: VenomTask) => boolean) {
    this.#isHeld = isHeld
    this.#due = new DueQueue(isHeld)
  }

  get flow(): Flow {
    return this.#due.flow
  }

  setFlow(flow: Flow, startsOf: StartsOf): void {
    this.#due.setFlow(flow, startsOf)
  }

  /** A task that is new or in a new state; there are so many PENDING ones. */
  note(task: VenomTask, isNew: boolean, pending: number): void {
    if (task.status === "PROCESSING") this.#due.begin(task)
    else if (!isNew) this.#due.end(task, true)
    if (task.status === "PENDING") this.#await(task, pending)
  }

  forget(task: VenomTask): void {
    this.#due.end(task, true)
  }

  /** A task that was taken, or passed over, and has not changed. */
  putBack(task: VenomTask, pending: number): void {
    if (task.status !== "PENDING") return
    this.#due.end(task, false)
    this.#await(task, pending)
  }

  /** Counts in what is due by now; where that is very many, others have their turn meanwhile. */
  promote(now: Instant): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.#promoteSome(now) ? Effect.void : Effect.andThen(Effect.yieldNow, this.promote(now))
    )
  }

  /** Takes what is to be claimed; what is not free is passed over. What was not counted in is left. */
  take({ free, limit, now, types }: Take): Array<VenomTask> {
    this.#due.setTypes(types)
    return this.#due.take(now, limit, (task) => {
      const mayBegin = task.runAt <= now && (task.deadline === undefined || task.deadline > now)
      // the clock went back since it was due, or may go back to before its deadline
      if (!mayBegin) this.#waiting.push(task)
      return mayBegin && free(task)
    })
  }

  /** When the next one may be claimed, if nothing changes until then. */
  nextDue(types?: ReadonlySet<string>): Option.Option<Instant> {
    this.#due.setTypes(types)
    if (this.#due.isHeldBack) return Option.none()
    const next = Math.min(this.#due.nextStart(), this.#firstWaiting()?.runAt ?? Number.POSITIVE_INFINITY)
    return Number.isFinite(next) ? Option.some(next) : Option.none()
  }

  /** When the one that waits for longest was due. */
  oldest(now: Instant): Option.Option<Instant> {
    const oldest = Math.min(this.#due.oldest(), this.#firstWaiting()?.runAt ?? Number.POSITIVE_INFINITY)
    return oldest <= now ? Option.some(oldest) : Option.none()
  }

  /** Where a task stands among the others. */
  standing(task: VenomTask, now: Instant, types: ReadonlySet<string> | undefined): Effect.Effect<Standing> {
    return Effect.flatMap(this.promote(now), () => {
      this.#due.setTypes(types)
      const running = this.#due.running(task)
      const nextSlot = this.#due.nextSlot(task.type)
      const rivals = task.status === "PENDING" ? this.#due.rivals(task, now) : []
      return Effect.map(
        Line.before(task, rivals, (entry) => this.#due.isWaiting(entry)),
        (ahead) => ({ ahead, ...running, nextSlot })
      )
    })
  }

  #await(task: VenomTask, pending: number): void {
    // outdated entries hold their contents: they go when they outnumber the rest
    if (this.#waiting.size + this.#due.size > 2 * pending + tidyAbove) {
      const entries = [...this.#waiting.drain(), ...this.#due.drain()].filter((entry) => this.#isHeld(entry))
      for (const entry of entries) this.#waiting.push(entry)
    }
    this.#waiting.push(task)
  }

  /** Tells whether that was all. */
  #promoteSome(now: Instant): boolean {
    for (let n = 0; n < slice; n++) {
      const task = this.#waiting.peek()
      if (task === undefined || task.runAt > now) return true
      this.#waiting.pop()
      if (this.#isHeld(task)) this.#due.add(task)
    }
    return false
  }

  #firstWaiting(): VenomTask | undefined {
    for (let task = this.#waiting.peek(); task !== undefined; task = this.#waiting.peek()) {
      if (this.#due.isWaiting(task)) return task
      this.#waiting.pop()
    }
    return undefined
  }
}
