import type { Rate } from "../../domain/Flow.ts"
import * as Span from "../../domain/Span.ts"
import type { Instant, TaskId, VenomTask } from "../../domain/Task.ts"

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

const perOf = ({ per }: Rate): number => Math.ceil(Span.millis(per))

/** The newest, each once, oldest first. */
const lastOf = (starts: ReadonlyArray<Start>, limit: number): Array<Start> =>
  Array.from(new Map(starts.map((start) => [`${start.id} ${start.at}`, start])).values())
    .sort((a, b) => a.at - b.at)
    .slice(-limit)

/** What the tasks know of the starts that a rate may still count, for types that have one. */
export const startsOf = (
  tasks: () => Iterable<VenomTask>,
  rates: ReadonlyMap<string, Rate>
): ReadonlyMap<string, ReadonlyArray<Start>> => {
  const newest = new Map<string, Instant>()
  const found = new Map<string, Array<Start>>()
  if (rates.size === 0) return found
  for (const { startedAt, type } of tasks()) {
    if (startedAt !== null && rates.has(type)) newest.set(type, Math.max(newest.get(type) ?? startedAt, startedAt))
  }
  for (const { attempts, id, startedAt, type } of tasks()) {
    const rate = rates.get(type)
    const last = newest.get(type)
    if (rate === undefined || last === undefined || startedAt === null) continue
    const since = last - perOf(rate)
    const starts = found.get(type) ?? []
    // an attempt that was released is not among them, and has begun all the same
    for (const at of [...attempts.map((attempt) => attempt.startedAt), startedAt]) {
      if (at > since) starts.push({ id, at })
    }
    found.set(type, starts)
  }
  return found
}
