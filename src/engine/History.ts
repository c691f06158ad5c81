import type { TaskId } from "../domain/Task.ts"
import {
  countOf,
  type Event,
  type EventId,
  type Happening,
  idAfter,
  lastOf,
  of as eventsOf,
  positionOf,
  sizeOf,
  weightOf
} from "./Event.ts"

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

/** The newest of what has happened, in its order, for those who have missed some; the oldest goes when it is too much. */
export class History {
  readonly #bounds: HistoryBounds
  #kept: Array<Happening> = []
  /** Where the oldest that is left stands in `#kept`. */
  #first = 0
  #events = 0
  #bytes = 0
  /** Everything that came after this event is there. */
  #floor: () => EventId
  #newest: number
  #given: (Part & { readonly after: EventId }) | undefined

  /** Begins after the change at this position. */
  constructor(position: number, bounds: HistoryBounds) {
    this.#bounds = bounds
    this.#floor = () => idAfter(position)
    this.#newest = position
  }

  /** The end of all that has happened. */
  get newest(): EventId {
    return idAfter(this.#newest)
  }

  get position(): number {
    return this.#newest
  }

  /** The change at this position, and what it tells. */
  add(position: number, happening: Happening | undefined): void {
    this.#newest = position
    this.#given = undefined
    if (happening === undefined) return
    this.#kept.push(happening)
    this.#events += countOf(happening)
    this.#bytes += weightOf(happening)
    while (this.#events > this.#bounds.events || this.#bytes > this.#bounds.bytes) this.#drop()
  }

  /** Whether everything after this event can still be told. */
  reaches(id: EventId): boolean {
    return id >= this.#floor() && id <= this.newest
  }

  /** All that happened to a task after an event that it reaches. */
  ofTask(id: TaskId, after: EventId): ReadonlyArray<Event> {
    const events: Array<Event> = []
    for (let n = this.#indexAt(positionOf(after)); n < this.#kept.length; n++) {
      const happening = this.#kept[n]
      if (happening?.task.id === id) events.push(...eventsOf(happening).filter((event) => event.id > after))
    }
    return events
  }

  /**
   * What happened next after an event that it reaches: as much of it as a reader can take at once. Readers at the same
   * place get the same part.
   */
  next(after: EventId): Part {
    if (this.#given?.after === after) return this.#given
    const events: Array<Event> = []
    let bytes = 0
    let at = this.#indexAt(positionOf(after))
    for (; at < this.#kept.length && events.length < mostAtOnce.events && bytes < mostAtOnce.bytes; at++) {
      const happening = this.#kept[at]
      if (happening === undefined) continue
      for (const event of eventsOf(happening)) {
        if (event.id <= after) continue
        events.push(event)
        bytes += sizeOf(event)
      }
    }
    const until = at >= this.#kept.length ? this.newest : (events.at(-1)?.id ?? after)
    this.#given = { after, events, until }
    return this.#given
  }

  /** Of the first that is not before a position. */
  #indexAt(position: number): number {
    let [low, high] = [this.#first, this.#kept.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#kept[middle]?.position ?? 0) < position) low = middle + 1
      else high = middle
    }
    return low
  }

  #drop(): void {
    const oldest = this.#kept[this.#first]
    if (oldest === undefined) return
    this.#floor = () => lastOf(oldest)
    this.#events -= countOf(oldest)
    this.#bytes -= weightOf(oldest)
    this.#first++
    if (this.#first * 2 < this.#kept.length) return
    this.#kept = this.#kept.slice(this.#first)
    this.#first = 0
  }
}
