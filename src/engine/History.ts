import type { TaskId } from "../domain/Task.ts"
import { type Event, type EventId, idAfter, positionOf, sizeOf } from "./Event.ts"

export interface HistoryBounds {
  readonly events: number
  readonly bytes: number
}

/** What a reader takes at once. */
const mostAtOnce: HistoryBounds = { events: 256, bytes: 256 * 1024 }

/** A part of the history, and where it ends. */
export interface Part {
  readonly events: ReadonlyArray<Event>
  readonly until: EventId
}

/** The newest events, in their order, for those who have missed some; the oldest go when there are too many. */
export class History {
  readonly #bounds: HistoryBounds
  #events: Array<Event> = []
  /** Where the oldest that is left stands in `#events`. */
  #first = 0
  #bytes = 0
  /** Everything after this is there. */
  #floor: EventId
  #newest: EventId
  #given: (Part & { readonly after: EventId }) | undefined

  /** Begins after the change at this position. */
  constructor(position: number, bounds: HistoryBounds) {
    this.#bounds = bounds
    this.#floor = idAfter(position)
    this.#newest = this.#floor
  }

  /** The end of all that has happened. */
  get newest(): EventId {
    return this.#newest
  }

  get position(): number {
    return positionOf(this.#newest)
  }

  /** What a change told, and it was at this position. */
  add(position: number, events: ReadonlyArray<Event>): void {
    for (const event of events) {
      this.#events.push(event)
      this.#bytes += sizeOf(event)
    }
    this.#newest = idAfter(position)
    this.#given = undefined
    while (this.#events.length - this.#first > this.#bounds.events || this.#bytes > this.#bounds.bytes) this.#drop()
  }

  /** Whether everything after this event can still be told. */
  reaches(id: EventId): boolean {
    return id >= this.#floor && id <= this.#newest
  }

  /** All that happened to a task after an event that it reaches. */
  ofTask(id: TaskId, after: EventId): ReadonlyArray<Event> {
    const events: Array<Event> = []
    for (let n = this.#indexAfter(after); n < this.#events.length; n++) {
      const event = this.#events[n]
      if (event?.task.id === id) events.push(event)
    }
    return events
  }

  /**
   * What happened next after an event that it reaches: as much of it as a reader can take at once. Readers at the same
   * place get the same part.
   */
  next(after: EventId): Part {
    if (this.#given?.after === after) return this.#given
    const begin = this.#indexAfter(after)
    let bytes = 0
    let end = begin
    for (; end < this.#events.length && end - begin < mostAtOnce.events && bytes < mostAtOnce.bytes; end++) {
      const event = this.#events[end]
      if (event !== undefined) bytes += sizeOf(event)
    }
    const events = this.#events.slice(begin, end)
    const until = end === this.#events.length ? this.#newest : (events.at(-1)?.id ?? after)
    this.#given = { after, events, until }
    return this.#given
  }

  #indexAfter(id: EventId): number {
    let [low, high] = [this.#first, this.#events.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const event = this.#events[middle]
      if (event !== undefined && event.id <= id) low = middle + 1
      else high = middle
    }
    return low
  }

  #drop(): void {
    const oldest = this.#events[this.#first]
    if (oldest === undefined) return
    this.#floor = oldest.id
    this.#bytes -= sizeOf(oldest)
    this.#first++
    if (this.#first * 2 < this.#events.length) return
    this.#events = this.#events.slice(this.#first)
    this.#first = 0
  }
}
