import { Cause, Effect, Latch } from "effect"
import { type Event, type EventId, isFinal, type ProgressNow, sizeOf, type Told } from "./Event.ts"
import type { History, HistoryBounds } from "./History.ts"

/** Events as they come, for one reader. Nobody waits for it: one that is too slow has its end. */
export interface Following {
  /** Where it begins, when it does not begin with an event. */
  readonly begin: EventId | undefined
  /** The task is final and the reader has been told: nothing will come. */
  readonly isOver: boolean
  /** The next events; none after `stir`. The end is `Done`. */
  readonly next: Effect.Effect<ReadonlyArray<Told>, Cause.Done>
  /** Ends the waiting of `next`, with no event if there is none. */
  readonly stir: () => void
}

/** Looks for events whenever it is woken; undefined is the end. */
export class Outlet {
  readonly #latch = Latch.makeUnsafe(false)
  readonly #look: () => ReadonlyArray<Told> | undefined
  #stirred = false

  constructor(look: () => ReadonlyArray<Told> | undefined) {
    this.#look = look
  }

  readonly next: Effect.Effect<ReadonlyArray<Told>, Cause.Done> = Effect.suspend(() => {
    this.#latch.closeUnsafe()
    const found = this.#look()
    if (found === undefined) return Cause.done()
    if (found.length === 0 && !this.#stirred) return this.#nextWhenWoken
    this.#stirred = false
    return Effect.succeed(found)
  })

  // whoever wakes it goes on first, and may have more to tell
  readonly #nextWhenWoken = Effect.suspend(() =>
    Effect.andThen(this.#latch.await, Effect.andThen(Effect.yieldNow, this.next))
  )

  readonly wake = (): void => {
    this.#latch.openUnsafe()
  }

  readonly stir = (): void => {
    this.#stirred = true
    this.wake()
  }
}

/** Follows one task up to its final event. What its reader has not taken yet is kept, within bounds. */
export class TaskFollower implements Following {
  readonly begin = undefined
  readonly isOver: boolean
  readonly #bounds: HistoryBounds
  readonly #outlet: Outlet
  #kept: Array<Told> = []
  #bytes = 0
  #ended = false
  /** Of the task as the reader knows it from `first`. */
  readonly #seen: number

  constructor(options: {
    readonly first: ReadonlyArray<Told>
    readonly seen: number
    readonly isOver: boolean
    readonly bounds: HistoryBounds
  }) {
    this.isOver = options.isOver
    this.#ended = options.isOver
    this.#seen = options.seen
    this.#bounds = options.bounds
    for (const told of options.first) this.#keep(told)
    this.#outlet = new Outlet(() => {
      if (this.#kept.length === 0) return this.#ended ? undefined : []
      const kept = this.#kept
      this.#kept = []
      this.#bytes = 0
      return kept
    })
  }

  get next() {
    return this.#outlet.next
  }

  get stir() {
    return this.#outlet.stir
  }

  /** What one change tells, be it as much as it may: the bound is for what a reader has left behind. */
  offer(events: ReadonlyArray<Event | ProgressNow>): void {
    if (this.#kept.length > this.#bounds.events || this.#bytes > this.#bounds.bytes) {
      this.#kept = []
      return this.end()
    }
    for (const event of events) {
      if (event.id !== undefined && event.task.revision <= this.#seen) continue
      this.#bytes += sizeOf(event)
      this.#keep(event)
    }
    this.#outlet.wake()
  }

  end(): void {
    this.#ended = true
    this.#outlet.wake()
  }

  #keep(told: Told): void {
    if (this.#ended) return
    this.#kept.push(told)
    this.#ended = isFinal(told)
  }
}

/** Follows all tasks through the history itself: it keeps nothing, and ends when the history no longer reaches its place. */
export class Follower implements Following {
  readonly begin: EventId | undefined
  readonly isOver = false
  readonly #outlet: Outlet
  #ended = false

  constructor(options: {
    readonly first: ReadonlyArray<Told>
    readonly begin: EventId
    readonly history: History
    readonly wanted: (event: Event) => boolean
  }) {
    const { history, wanted } = options
    let first = options.first
    let place = options.begin
    this.begin = first.length > 0 ? undefined : place
    this.#outlet = new Outlet(() => {
      if (first.length > 0) {
        const told = first
        first = []
        return told
      }
      if (!history.reaches(place)) return undefined
      for (;;) {
        const { events, until } = history.next(place)
        if (until === place) return this.#ended ? undefined : []
        place = until
        const found = events.every(wanted) ? events : events.filter(wanted)
        if (found.length > 0) return found
      }
    })
  }

  get next() {
    return this.#outlet.next
  }

  get stir() {
    return this.#outlet.stir
  }

  get wake() {
    return this.#outlet.wake
  }

  end(): void {
    this.#ended = true
    this.#outlet.wake()
  }
}
