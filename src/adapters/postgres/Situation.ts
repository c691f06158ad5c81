import { Effect } from "effect"
import * as Flow from "../../domain/Flow.ts"
import * as Span from "../../domain/Span.ts"
import type { Instant } from "../../domain/Task.ts"
import type { Database, Failed } from "./Database.ts"
import * as statements from "./statements/flow.ts"
import { running } from "./statements/lanes.ts"
import { unescape } from "./Text.ts"

/** What runs, what holds back, and what has begun of types that have a rate: what decides what may begin. */
export interface Situation {
  readonly flow: Flow.Flow
  readonly running: number
  readonly ofType: ReadonlyMap<string, number>
  readonly ofKey: ReadonlyMap<string, number>
  /** Of each type in this process. */
  readonly here: ReadonlyMap<string, number>
  /** The newest starts of each type that has a rate, as many as may begin in one window, the newest first. */
  readonly starts: ReadonlyMap<string, ReadonlyArray<Instant>>
}

interface Running {
  readonly type: string
  readonly key: string
  readonly count: number
  readonly here: number
}

const add = (counts: Map<string, number>, name: string, count: number) =>
  counts.set(name, (counts.get(name) ?? 0) + count)

export const perOf = ({ per }: Flow.Rate): number => Math.ceil(Span.millis(per))

const startsOf = (database: Database, flow: Flow.Flow) =>
  Effect.gen(function* () {
    const starts = new Map<string, ReadonlyArray<Instant>>()
    for (const [type, { rate }] of Object.entries(flow.types)) {
      if (rate === undefined) continue
      const rows = yield* database.query<{ readonly at: bigint }>(statements.starts, [type, 0, rate.limit])
      starts.set(
        type,
        rows.map(({ at }) => Number(at))
      )
    }
    return starts
  })

export const read = Effect.fnUntraced(function* (
  database: Database,
  flow: Flow.Flow,
  node: string
): Effect.fn.Return<Situation, Failed> {
  const ofType = new Map<string, number>()
  const ofKey = new Map<string, number>()
  const here = new Map<string, number>()
  let all = 0
  for (const row of yield* database.query<Running>(running, [node])) {
    all += row.count
    add(ofType, row.type, row.count)
    add(here, row.type, row.here)
    if (row.key !== "") add(ofKey, unescape(row.key), row.count)
  }
  return { flow, running: all, ofType, ofKey, here, starts: yield* startsOf(database, flow) }
})

/** When the rate of a type lets the attempt begin that comes after `more` others; at once where it does. */
export const opensAt = ({ flow, starts }: Situation, type: string, more: number): Instant => {
  const rate = flow.types[type]?.rate
  if (rate === undefined || more >= rate.limit) return Number.NEGATIVE_INFINITY
  const first = starts.get(type)?.[rate.limit - 1 - more]
  return first === undefined ? Number.NEGATIVE_INFINITY : first + perOf(rate)
}

/** How many more attempts of a type may run: of all that run, and of those of this process. */
export const leftOfType = ({ flow, here, ofType }: Situation, limits: Flow.TypeLimits, type: string): number =>
  Math.min(
    Flow.limitOfType(flow, type) - (ofType.get(type) ?? 0),
    (limits[type] ?? Number.POSITIVE_INFINITY) - (here.get(type) ?? 0)
  )

export const leftOfKey = ({ flow, ofKey }: Situation, key: string): number =>
  key === "" ? Number.POSITIVE_INFINITY : Flow.limitOfKey(flow, key) - (ofKey.get(key) ?? 0)

export const leftInAll = ({ flow, running }: Situation): number =>
  flow.paused ? 0 : (flow.concurrency ?? Number.POSITIVE_INFINITY) - running

/** Whether something has begun later than now. */
export const isAhead = ({ starts }: Situation, now: Instant): boolean =>
  Array.from(starts.values()).some(([newest = now]) => newest > now)
