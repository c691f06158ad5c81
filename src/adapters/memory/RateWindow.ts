import type { Rate } from "../../domain/Flow.ts"
import * as Span from "../../domain/Span.ts"
import type { Instant, TaskId } from "../../domain/Task.ts"

/** An attempt began. */
export interface Start {
  readonly id: TaskId
  readonly at: Instant
}

/** The last starts of a type, as many as may begin in one window: the first of them says when the next one may. */
export class RateWindow {
  readonly rate: Rate
  readonly #per: number
  /** Oldest first; those before `#first` are forgotten. */
  #starts: Array<Start>
  #first = 0

  constructor(rate: Rate, starts: ReadonlyArray<Start>) {
    this.rate = rate
    this.#per = perOf(rate)
    this.#starts = lastOf(starts, rate.limit)
  }

  /** When the next attempt may begin. */
  get opensAt(): Instant {
    const first = this.#starts[this.#first]
    return first === undefined || this.#count < this.rate.limit ? Number.NEGATIVE_INFINITY : first.at + this.#per
  }

  get starts(): ReadonlyArray<Start> {
    return this.#starts.slice(this.#first)
  }

  /** Not before the others. */
  add(start: Start): void {
    this.#starts.push(start)
    if (this.#count > this.rate.limit) this.#first++
    if (this.#first > this.rate.limit) this.#become(this.starts)
  }

  /** It has not begun after all. */
  takeBack(id: TaskId): void {
    const { starts } = this
    const at = starts.findLastIndex((start) => start.id === id)
    if (at >= 0) this.#become(starts.toSpliced(at, 1))
  }

  /** The clock went back: what has begun has begun by now. */
  turnBack(now: Instant): void {
    if ((this.#starts.at(-1)?.at ?? now) <= now) return
    this.#become(this.starts.map(({ at, id }) => ({ id, at: Math.min(at, now) })))
  }

  get #count(): number {
    return this.#starts.length - this.#first
  }

  #become(starts: ReadonlyArray<Start>): void {
    this.#starts = [...starts]
    this.#first = 0
  }
}

export const perOf = ({ per }: Rate): number => Math.ceil(Span.millis(per))

/** The newest, each once, oldest first. */
export const lastOf = (starts: ReadonlyArray<Start>, limit: number): Array<Start> =>
  starts
    .toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
    .filter(({ at, id }, n, all) => all[n - 1]?.at !== at || all[n - 1]?.id !== id)
    .slice(-limit)
