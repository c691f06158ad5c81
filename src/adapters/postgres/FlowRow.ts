import { Effect, Option, Schema } from "effect"
import * as Flow from "../../domain/Flow.ts"
import type { Instant } from "../../domain/Task.ts"
import { certain, type Database, type Failed } from "./Database.ts"
import { texts } from "./Parameters.ts"
import * as Row from "./Row.ts"
import { perOf } from "./Situation.ts"
import * as statements from "./statements/flow.ts"
import * as Told from "./Told.ts"

/** Under which its changes are told to other nodes. */
export const entryName = "flow"

const json = Schema.fromJsonString(Schema.toCodecJson(Flow.Flow))
const decode = Schema.decodeUnknownOption(json)
const encode = Schema.encodeSync(json)

/** What cannot be read holds back everything: a task that waits can still be let go. */
const flowOf = ([row]: ReadonlyArray<{ readonly value: string | null }>): Flow.Flow =>
  row === undefined || row.value === null
    ? Flow.free
    : Option.getOrElse(decode(row.value), () => ({ ...Flow.free, paused: true }))

interface Value {
  readonly value: string | null
}

export const read = (database: Database) => Effect.map(database.query<Value>(statements.flow), flowOf)

/** Nobody else claims, or changes the flow, until the transaction ends. */
export const readLocked = (database: Database) => Effect.map(database.query<Value>(statements.flowLocked), flowOf)

/** Whether a rate counts starts that the one before it did not. */
const countsMore = (rate: Flow.Rate, before: Flow.Rate | undefined): boolean =>
  before === undefined || rate.limit > before.limit || perOf(rate) > perOf(before)

/**
 * The starts that a rate counts: what the tasks know of them, where there was no rate before; else from the first one on
 * that was counted until now, all are known since.
 */
export const seed = Effect.fnUntraced(function* (
  database: Database,
  type: string,
  rate: Flow.Rate,
  before: Flow.Rate | undefined
) {
  const [known] = yield* database.query<{ readonly at: bigint | null }>(
    before === undefined ? statements.forgetStarts : statements.forgetFirstStarts,
    [type]
  )
  const until = Number(known?.at ?? Number.POSITIVE_INFINITY)
  const [last] = yield* database.query<{ readonly at: bigint | null }>(statements.lastBegun, [type])
  if (last === undefined || last.at === null) return
  const since = Number(last.at) - perOf(rate)
  const begun = new Map<Instant, number>()
  for (const row of yield* database.query<Row.Row>(statements.begunSince, [type, since, rate.limit])) {
    const { attempts, startedAt } = Row.read(row)
    // an attempt that was released is not among them, and has begun all the same
    const starts = new Set([
      ...attempts.map((attempt) => attempt.startedAt),
      ...(startedAt === null ? [] : [startedAt])
    ])
    for (const at of starts) if (at > since && at <= until) begun.set(at, (begun.get(at) ?? 0) + 1)
  }
  for (const [at, count] of begun) {
    yield* database.query(statements.addStarts, [at, texts(Array.from({ length: count }, () => type))])
  }
})

/** Starts of a type that are kept: no rate counts more. */
const keptStarts = 10_000

/** Keeps small what is known of starts. */
export const forgetOldStarts = Effect.fnUntraced(function* (database: Database) {
  const { types } = yield* read(database)
  const rated = Object.entries(types).flatMap(([type, { rate }]) => (rate === undefined ? [] : [type]))
  if (rated.length > 0) yield* database.query(statements.forgetOldStarts, [texts(rated), keptStarts])
})

/** Decided on the newest, and once more where it is not known whether it has been changed. */
export const update = (database: Database, decide: (flow: Flow.Flow) => Flow.Flow): Effect.Effect<Flow.Flow, Failed> =>
  Effect.suspend(() => {
    let written: string | undefined
    const decided = database.transaction(
      Effect.gen(function* () {
        const before = yield* readLocked(database)
        const flow = decide(before)
        written = encode(flow)
        yield* database.query(statements.changeFlow, [written, Flow.isFree(flow), Told.entry(entryName)])
        for (const [type, { rate }] of Object.entries(flow.types)) {
          const known = before.types[type]?.rate
          if (rate !== undefined && countsMore(rate, known)) yield* seed(database, type, rate, known)
        }
        return flow
      })
    )
    return certain(
      decided,
      Effect.map(database.query<Value>(statements.flow), (rows) =>
        rows[0]?.value === written ? Option.some(flowOf(rows)) : Option.none()
      )
    )
  }).pipe(Effect.uninterruptible)
