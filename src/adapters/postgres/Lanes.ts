import { Effect } from "effect"
import type { TypeLimits } from "../../domain/Flow.ts"
import type { Instant } from "../../domain/Task.ts"
import type { Database, Failed } from "./Database.ts"
import { numbers, texts, uuids } from "./Parameters.ts"
import { leftInAll, leftOfKey, leftOfType, opensAt, type Situation } from "./Situation.ts"
import { heads, lanes } from "./statements/lanes.ts"
import { escape, unescape } from "./Text.ts"

/** Waiting tasks of one type, concurrency key and priority. */
export interface Lane {
  readonly type: string
  /** Empty without one. */
  readonly key: string
  readonly priority: number
  /** When the first of them is due. */
  readonly first: Instant
  /** When its key has had its turn at this priority. */
  readonly turn: number
}

interface Row {
  readonly type: string
  readonly key: string
  readonly priority: number
  readonly first: bigint
  readonly turn: bigint | null
}

interface Head {
  readonly id: string
  readonly runAt: Instant
}

const before: Head = { id: "00000000-0000-0000-0000-000000000000", runAt: Number.MIN_SAFE_INTEGER }

/** Turns come in the order of times: who has only come has had its turn when its first task was due. */
export const turnAt = (time: Instant): number => time * 1000

export const turnOf = (stored: bigint | number | null, first: Instant): number =>
  Math.max(Number(stored ?? Number.NEGATIVE_INFINITY), turnAt(first))

/** Those with tasks that are in time at `now`, due or not; with none, of all. */
export const read = (database: Database, now: Instant | null): Effect.Effect<ReadonlyArray<Lane>, Failed> =>
  Effect.map(database.query<Row>(lanes, [now]), (rows) =>
    rows.map(({ first, key, priority, turn, type }) => ({
      type,
      key: unescape(key),
      priority,
      first: Number(first),
      turn: Number(turn ?? Number.NEGATIVE_INFINITY)
    }))
  )

const turnName = ({ key, priority }: Pick<Lane, "key" | "priority">): string => `${priority} ${key}`

/** What is to be claimed, and what is to be kept of it. */
export interface Choice {
  readonly ids: ReadonlyArray<string>
  readonly started: ReadonlyArray<string>
  readonly turns: ReadonlyArray<Turn>
}
/** A key has had its turn. */
interface Turn {
  readonly key: string
  readonly priority: number
  readonly turn: number
}

/** Reads the first tasks of lanes as they are needed. */
class Heads {
  readonly lane: Lane
  readonly #heads: Array<Head> = []
  #last = before
  #hasMore = true

  constructor(lane: Lane) {
    this.lane = lane
  }

  get first(): Head | undefined {
    return this.#heads[0]
  }

  get last(): Head {
    return this.#last
  }

  get isDry(): boolean {
    return this.#hasMore && this.#heads.length === 0
  }

  drop(): void {
    this.#heads.shift()
  }

  add(found: ReadonlyArray<Head>, asked: number): void {
    this.#heads.push(...found)
    this.#last = found.at(-1) ?? this.#last
    this.#hasMore = found.length === asked
  }
}

const fill = Effect.fnUntraced(function* (database: Database, now: Instant, dry: ReadonlyArray<Heads>, each: number) {
  const rows = yield* database.query<{ readonly lane: bigint; readonly id: string; readonly run_at: bigint }>(heads, [
    now,
    texts(dry.map(({ lane }) => lane.type)),
    texts(dry.map(({ lane }) => escape(lane.key))),
    numbers(dry.map(({ lane }) => lane.priority)),
    numbers(dry.map(({ last }) => last.runAt)),
    uuids(dry.map(({ last }) => last.id)),
    each
  ])
  const found = dry.map((): Array<Head> => [])
  for (const { id, lane, run_at } of rows) found[Number(lane)]?.push({ id, runAt: Number(run_at) })
  for (const [n, one] of dry.entries()) one.add(found[n] ?? [], each)
})

/** Which tasks are claimed next: by priority, then each key in its turn, then by due time and age. */
export const pick = Effect.fnUntraced(function* (
  database: Database,
  situation: Situation,
  options: {
    readonly now: Instant
    readonly limit: number
    readonly types: ReadonlySet<string> | undefined
    readonly limits: TypeLimits
  }
): Effect.fn.Return<Choice, Failed> {
  const { limits, now, types } = options
  const most = Math.min(options.limit, leftInAll(situation))
  const begun = new Map<string, number>()
  const ofKey = new Map<string, number>()
  const mayBegin = ({ key, type }: Lane): boolean => {
    const ofType = begun.get(type) ?? 0
    return (
      (types === undefined || types.has(type)) &&
      leftOfType(situation, limits, type) > ofType &&
      leftOfKey(situation, key) > (ofKey.get(key) ?? 0) &&
      opensAt(situation, type, ofType) <= now &&
      // more than a window's worth at once
      (situation.flow.types[type]?.rate?.limit ?? Number.POSITIVE_INFINITY) > ofType
    )
  }
  const open = (yield* read(database, now)).filter((lane) => lane.first <= now)
  const turns = new Map<string, number>()
  const keysOf = new Map<number, Set<string>>()
  for (const { key, priority } of open) keysOf.set(priority, (keysOf.get(priority) ?? new Set()).add(key))
  const free = open.filter(
    (lane) => leftOfType(situation, limits, lane.type) > 0 && opensAt(situation, lane.type, 0) <= now
  )
  const firsts = new Map<string, Instant>()
  for (const lane of free) {
    const name = turnName(lane)
    firsts.set(name, Math.min(firsts.get(name) ?? lane.first, lane.first))
  }
  for (const lane of free) turns.set(turnName(lane), turnOf(lane.turn, firsts.get(turnName(lane)) ?? lane.first))
  const waiting = free.filter(mayBegin).map((lane) => new Heads(lane))
  const taken: Array<string> = []
  const started: Array<string> = []
  const changed = new Map<string, Turn>()
  let lastTurn = Math.max(turnAt(now), ...turns.values())

  const isBefore = (a: Heads, b: Heads): boolean => {
    if (a.lane.priority !== b.lane.priority) return a.lane.priority < b.lane.priority
    const [turnOfA, turnOfB] = [turns.get(turnName(a.lane)) ?? 0, turns.get(turnName(b.lane)) ?? 0]
    if (turnOfA !== turnOfB) return turnOfA < turnOfB
    if (a.lane.key !== b.lane.key) return a.lane.key < b.lane.key
    const [ofA, ofB] = [a.first, b.first]
    if (ofA === undefined || ofB === undefined) return ofA !== undefined
    return ofA.runAt !== ofB.runAt ? ofA.runAt < ofB.runAt : ofA.id < ofB.id
  }

  while (taken.length < most) {
    const able = waiting.filter(({ lane }) => mayBegin(lane))
    const dry = able.filter(({ isDry }) => isDry)
    if (dry.length > 0) {
      yield* fill(database, now, dry, Math.max(1, Math.ceil((2 * (most - taken.length)) / able.length)))
      continue
    }
    let next: Heads | undefined
    for (const one of able) {
      if (one.first !== undefined && (next === undefined || isBefore(one, next))) next = one
    }
    const head = next?.first
    if (next === undefined || head === undefined) break
    const { lane } = next
    next.drop()
    taken.push(head.id)
    begun.set(lane.type, (begun.get(lane.type) ?? 0) + 1)
    ofKey.set(lane.key, (ofKey.get(lane.key) ?? 0) + 1)
    if (situation.flow.types[lane.type]?.rate !== undefined) started.push(lane.type)
    if ((keysOf.get(lane.priority)?.size ?? 0) > 1) {
      lastTurn++
      turns.set(turnName(lane), lastTurn)
      changed.set(turnName(lane), { key: lane.key, priority: lane.priority, turn: lastTurn })
    }
  }
  return { ids: taken, started, turns: Array.from(changed.values()) }
})

/** When the first of them may begin if nothing changes until then; infinite where none may. */
export const nextStart = (
  lanes: ReadonlyArray<Lane>,
  situation: Situation,
  types: ReadonlySet<string> | undefined,
  limits: TypeLimits
): Instant => {
  if (leftInAll(situation) <= 0) return Number.POSITIVE_INFINITY
  let next = Number.POSITIVE_INFINITY
  for (const { first, key, type } of lanes) {
    const isHeld =
      (types !== undefined && !types.has(type)) ||
      leftOfType(situation, limits, type) <= 0 ||
      leftOfKey(situation, key) <= 0
    if (!isHeld) next = Math.min(next, Math.max(first, opensAt(situation, type, 0)))
  }
  return next
}
