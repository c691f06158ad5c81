import type { FailureReason, Instant } from "../domain/Task.ts"
import { Durations } from "./Durations.ts"

const minute = 60_000
const minutesKept = 60

/** When the first minute begins that is not older than an hour. */
export const firstMinute = (now: Instant): Instant => (Math.floor(now / minute) - minutesKept + 1) * minute

/** What came to pass in one minute. */
export class Minute {
  readonly at: Instant
  submitted = 0
  completed = 0
  /** Attempts that failed and that another one follows. */
  retried = 0
  readonly failed = new Map<FailureReason, number>()
  readonly wait = new Durations()
  readonly run = new Durations()

  constructor(at: Instant) {
    this.at = at
  }
}

/** The last hour, minute by minute, in a room that does not grow. */
export class LastHour {
  readonly #minutes: Array<Minute> = []

  /** The minute of this time; the oldest one there is where it is earlier than all, as clocks of others may be. */
  minuteOf(at: Instant): Minute {
    const begin = Math.floor(at / minute) * minute
    for (let n = this.#minutes.length - 1; n >= 0; n--) {
      const one = this.#minutes[n]
      if (one !== undefined && one.at === begin) return one
      if (one !== undefined && one.at < begin) return this.#insert(n + 1, begin)
    }
    return this.#minutes.length < minutesKept ? this.#insert(0, begin) : (this.#minutes[0] ?? this.#insert(0, begin))
  }

  /** Those that are not older than an hour, the oldest first; a minute in which nothing happened is not there. */
  until(now: Instant): ReadonlyArray<Minute> {
    const first = firstMinute(now)
    return this.#minutes.filter(({ at }) => at >= first)
  }

  #insert(index: number, at: Instant): Minute {
    const made = new Minute(at)
    this.#minutes.splice(index, 0, made)
    if (this.#minutes.length > minutesKept) this.#minutes.shift()
    return made
  }
}
