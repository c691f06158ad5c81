import type { Rate } from "../../domain/Flow.ts"
import type { Instant, VenomTask } from "../../domain/Task.ts"
import { lastOf, perOf, type Start } from "./RateWindow.ts"

interface Found {
  readonly rate: Rate
  starts: ReadonlyArray<Start>
  fresh: Array<Start>
  /** Of earlier starts there are enough later ones. */
  floor: Instant
}

/** Starts that are put aside before the last ones are chosen among them, besides as many as may begin in a window. */
const spare = 1000

/** What tasks know of the starts that rates may still count: of each type the last, as many as its rate lets begin. */
export class RecentStarts {
  readonly #found = new Map<string, Found>()

  constructor(rates: ReadonlyMap<string, Rate>) {
    for (const [type, rate] of rates) {
      this.#found.set(type, { rate, starts: [], fresh: [], floor: Number.NEGATIVE_INFINITY })
    }
  }

  get types(): Iterable<string> {
    return this.#found.keys()
  }

  /** A state of a task; that of a moment ago may have been noted too. */
  note({ attempts, id, startedAt, type }: VenomTask): void {
    if (startedAt === null) return
    const found = this.#found.get(type)
    // none of its other starts is later
    if (found === undefined || startedAt < found.floor) return
    found.fresh.push({ id, at: startedAt })
    // an attempt that was released is not among them, and has begun all the same
    for (const attempt of attempts) {
      if (attempt.startedAt !== startedAt && attempt.startedAt >= found.floor) {
        found.fresh.push({ id, at: attempt.startedAt })
      }
    }
    if (found.fresh.length > found.rate.limit + spare) choose(found)
  }

  /** Those that the rate counts, oldest first; none where it was another rate that was asked about. */
  of(type: string, { limit, per }: Rate): ReadonlyArray<Start> | undefined {
    const found = this.#found.get(type)
    if (found === undefined || found.rate.limit !== limit || found.rate.per !== per) return undefined
    choose(found)
    const newest = found.starts.at(-1)
    if (newest === undefined) return []
    const since = newest.at - perOf(found.rate)
    return found.starts.filter(({ at }) => at > since)
  }
}

const choose = (found: Found): void => {
  found.starts = lastOf([...found.starts, ...found.fresh], found.rate.limit)
  found.fresh = []
  if (found.starts.length === found.rate.limit) found.floor = found.starts[0]?.at ?? found.floor
}
