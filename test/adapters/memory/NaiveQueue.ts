import { type Flow, free, limitOfKey, limitOfType } from "../../../src/domain/Flow.ts"
import * as Span from "../../../src/domain/Span.ts"
import type { Instant, TaskId, VenomTask } from "../../../src/domain/Task.ts"
import type { Start } from "../../../src/adapters/memory/RateWindow.ts"

const placeOf = ({ concurrencyKey, priority }: VenomTask) => `${priority} ${concurrencyKey ?? ""}`

/** What `DueQueue` promises, by looking at everything each time. */
export class NaiveQueue {
  flow: Flow = free
  /** Those that may begin; all where there are none. */
  types: ReadonlySet<string> | undefined = undefined
  due: Array<VenomTask> = []
  running: Array<VenomTask> = []
  #starts: Array<Start & { readonly type: string }> = []
  readonly #turns = new Map<string, number>()
  #lastTurn = 0

  add(task: VenomTask): void {
    if (!this.due.some((other) => placeOf(other) === placeOf(task))) this.#turns.set(placeOf(task), ++this.#lastTurn)
    this.due.push(task)
  }

  take(now: Instant, limit: number, mayBegin: (task: VenomTask) => boolean): ReadonlyArray<VenomTask> {
    this.#starts = this.#starts.map((start) => ({ ...start, at: Math.min(start.at, now) }))
    const begun: Array<VenomTask> = []
    while (begun.length < limit && this.running.length < (this.flow.concurrency ?? Infinity) && !this.flow.paused) {
      const [first] = this.due.filter((task) => this.isFree(task, now)).sort((a, b) => this.#compare(a, b))
      if (first === undefined) break
      const rivals = new Set(this.due.filter(({ priority }) => priority === first.priority).map(placeOf))
      this.due = this.due.filter((task) => task !== first)
      if (!mayBegin(first)) continue
      if (rivals.size > 1) this.#turns.set(placeOf(first), ++this.#lastTurn)
      this.running.push(first)
      this.#starts.push({ id: first.id, type: first.type, at: now })
      begun.push(first)
    }
    return begun
  }

  end(task: VenomTask, hasBegun: boolean): void {
    this.running = this.running.filter((other) => other !== task)
    const at = hasBegun ? -1 : this.#starts.findLastIndex(({ id }) => id === task.id)
    if (at >= 0) this.#starts = this.#starts.toSpliced(at, 1)
  }

  startsOf(type: string): ReadonlyArray<Start> {
    return this.#starts.filter((start) => start.type === type)
  }

  isFree({ concurrencyKey, type }: VenomTask, now: Instant): boolean {
    if (this.types?.has(type) === false) return false
    const isIn = (task: VenomTask) => task.type === type
    const rate = this.flow.types[type]?.rate
    if (this.running.filter(isIn).length >= limitOfType(this.flow, type)) return false
    if (concurrencyKey !== undefined) {
      const ofKey = this.running.filter((task) => task.concurrencyKey === concurrencyKey)
      if (ofKey.length >= limitOfKey(this.flow, concurrencyKey)) return false
    }
    if (rate === undefined) return true
    return this.startsOf(type).filter(({ at }) => at > now - Span.millis(rate.per)).length < rate.limit
  }

  /** Attempts of a type that began in any window of a length: the most. */
  mostStarts(type: string, per: number): number {
    const starts = this.startsOf(type)
    return Math.max(
      0,
      ...starts.map(({ at }) => starts.filter((other) => other.at >= at && other.at < at + per).length)
    )
  }

  ids(): ReadonlyArray<TaskId> {
    return this.due.map(({ id }) => id)
  }

  #compare(a: VenomTask, b: VenomTask): number {
    const turn = (task: VenomTask) => this.#turns.get(placeOf(task)) ?? 0
    return a.priority - b.priority || turn(a) - turn(b) || a.runAt - b.runAt || (a.id < b.id ? -1 : 1)
  }
}
