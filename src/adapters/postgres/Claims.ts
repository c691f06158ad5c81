import { Effect, Option } from "effect"
import type * as Flow from "../../domain/Flow.ts"
import type { Instant, TaskId, VenomTask } from "../../domain/Task.ts"
import { TaskNotFound } from "../../domain/TaskError.ts"
import type { Standing } from "../../domain/Why.ts"
import type { StorageError } from "../../ports/StorageError.ts"
import { type Database, uncrossed } from "./Database.ts"
import * as FlowRow from "./FlowRow.ts"
import * as Lanes from "./Lanes.ts"
import { numbers, texts, uuids } from "./Parameters.ts"
import * as Row from "./Row.ts"
import * as Situation from "./Situation.ts"
import { claimFreely, claimThese } from "./statements/claim.ts"
import * as flowStatements from "./statements/flow.ts"
import { get } from "./statements/get.ts"
import { firstDue, rivals } from "./statements/lanes.ts"
import { slots } from "./statements/nodes.ts"
import { escape, unescape } from "./Text.ts"

interface Claim {
  readonly limit: number
  readonly now: Instant
  readonly types?: ReadonlySet<string> | undefined
}

/** Claimed by one statement. */
const atOnce = 1000

const typesOf = (types: ReadonlySet<string> | undefined) => (types === undefined ? null : texts(Array.from(types)))

const dueFirst = (a: VenomTask, b: VenomTask): number =>
  a.priority - b.priority || a.runAt - b.runAt || (a.id < b.id ? -1 : 1)

/** What is claimed next, by which node, and what stands before what. */
export const make = (database: Database, nodeId: Effect.Effect<string, StorageError>, limits: Flow.TypeLimits) => {
  const hasLimits = Object.keys(limits).length > 0

  const freely = (node: string, { limit, now, types }: Claim) =>
    Effect.map(database.query<Row.Row>(claimFreely, [now, node, Math.min(limit, atOnce), typesOf(types)]), (rows) =>
      rows.map(Row.read).sort(dueFirst)
    )

  const isFree = Effect.map(
    database.query<{ readonly is_free: boolean }>(flowStatements.isFree),
    ([row]) => !hasLimits && row?.is_free === true
  )

  /** One node after the other: so limits hold across all of them. */
  const carefully = (node: string, { limit, now, types }: Claim) =>
    database.transaction(
      Effect.gen(function* () {
        const flow = yield* FlowRow.readLocked(database)
        if (flow.paused) return []
        let situation = yield* Situation.read(database, flow, node)
        if (Situation.isAhead(situation, now)) {
          // the clock went back: what has begun has begun by now
          yield* database.query(flowStatements.turnStartsBack, [now])
          situation = yield* Situation.read(database, flow, node)
        }
        const { ids, started, turns } = yield* Lanes.pick(database, situation, {
          now,
          limit: Math.min(limit, atOnce),
          types,
          limits
        })
        if (ids.length === 0) return []
        const rows = yield* database.query<Row.Row>(claimThese, [now, node, uuids(ids)])
        if (started.length > 0) yield* database.query(flowStatements.addStarts, [now, texts(started)])
        if (turns.length > 0) {
          yield* database.query(flowStatements.takeTurns, [
            texts(turns.map(({ key }) => escape(key))),
            numbers(turns.map(({ priority }) => priority)),
            numbers(turns.map(({ turn }) => turn))
          ])
        }
        const places = new Map(ids.map((id, n) => [id, n]))
        return rows.map(Row.read).sort((a, b) => (places.get(a.id) ?? 0) - (places.get(b.id) ?? 0))
      })
    )

  const claim = Effect.fnUntraced(function* (asked: Claim): Effect.fn.Return<ReadonlyArray<VenomTask>, StorageError> {
    const node = yield* nodeId
    const claimed: Array<VenomTask> = []
    while (claimed.length < asked.limit) {
      const rest = { ...asked, limit: asked.limit - claimed.length }
      let more: ReadonlyArray<VenomTask> = hasLimits ? [] : yield* uncrossed(freely(node, rest))
      if (more.length === 0 && !(yield* isFree)) more = yield* uncrossed(carefully(node, rest))
      claimed.push(...more)
      if (more.length < Math.min(rest.limit, atOnce)) break
    }
    return claimed
  })

  const nextDue = Effect.fnUntraced(function* (types: ReadonlySet<string> | undefined) {
    if (types === undefined && (yield* isFree)) {
      const [row] = yield* database.query<{ readonly at: bigint | null }>(firstDue)
      return Option.map(Option.fromNullishOr(row?.at), Number)
    }
    const situation = yield* Situation.read(database, yield* FlowRow.read(database), yield* nodeId)
    const next = Lanes.nextStart(yield* Lanes.read(database, null), situation, types, limits)
    return Number.isFinite(next) ? Option.some(next) : Option.none()
  })

  const standing = Effect.fnUntraced(function* (
    id: TaskId,
    now: Instant,
    types: ReadonlySet<string> | undefined
  ): Effect.fn.Return<Standing, StorageError | TaskNotFound> {
    const [row] = yield* database.query<Row.Row>(get, [uuids([id])])
    if (row === undefined) return yield* new TaskNotFound({ taskId: id })
    const task = Row.read(row)
    const situation = yield* Situation.read(database, yield* FlowRow.read(database), yield* nodeId)
    const { type } = task
    const key = task.concurrencyKey ?? ""
    const [all] = yield* database.query<{ readonly slots: number }>(slots)
    const opens = Situation.opensAt(situation, type, 0)
    return {
      ahead: task.status === "PENDING" ? yield* ahead(task, key, now, types, situation) : 0,
      running: situation.running,
      runningOfType: situation.ofType.get(type) ?? 0,
      runningOfKey: key === "" ? 0 : (situation.ofKey.get(key) ?? 0),
      nextSlot: Number.isFinite(opens) ? opens : null,
      ...(all === undefined || all.slots === 0 ? {} : { slots: all.slots })
    }
  })

  /** How many tasks are claimed before one, if nothing changes meanwhile and nothing holds it back. */
  const ahead = Effect.fnUntraced(function* (
    task: VenomTask,
    key: string,
    now: Instant,
    types: ReadonlySet<string> | undefined,
    situation: Situation.Situation
  ) {
    const mayBegin = (type: string) => types === undefined || types.has(type)
    const named = new Set([...Object.keys(situation.flow.types), ...Object.keys(limits)])
    const held = Array.from(named).filter(
      (type) =>
        type !== task.type &&
        (!mayBegin(type) ||
          Situation.leftOfType(situation, limits, type) <= 0 ||
          Situation.opensAt(situation, type, 0) > now)
    )
    const rows = yield* database.query<{
      readonly key: string
      readonly priority: number
      readonly count: number
      readonly before: number
      readonly first: bigint
      readonly turn: bigint | null
    }>(rivals, [
      now,
      task.priority,
      task.runAt,
      task.id,
      texts(held),
      // what holds back this one may hold back others besides
      mayBegin(task.type) ? typesOf(types) : null
    ])
    const lanes = rows
      .map((row) => ({ ...row, key: unescape(row.key), at: Lanes.turnOf(row.turn, Number(row.first)) }))
      .filter((lane) => lane.key === key || Situation.leftOfKey(situation, lane.key) > 0)
    const own = lanes.find((lane) => lane.key === key && lane.priority === task.priority)
    const ofKey = own?.before ?? 0
    let count = ofKey
    for (const lane of lanes) {
      if (lane.priority < task.priority) count += lane.count
      else if (lane !== own) {
        const isFirst = own === undefined || lane.at < own.at || (lane.at === own.at && lane.key < key)
        count += Math.min(lane.count, ofKey + (isFirst ? 1 : 0))
      }
    }
    return count
  })

  return { claim, nextDue, standing }
}
