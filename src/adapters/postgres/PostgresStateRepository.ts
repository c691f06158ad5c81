import { PgClient } from "@effect/sql-pg"
import { Clock, Effect, Layer, Option, PubSub, Result, Schedule, Stream } from "effect"
import * as Flow from "../../domain/Flow.ts"
import * as Lifecycle from "../../domain/Lifecycle.ts"
import { isFinished, type TaskStatus, type VenomTask } from "../../domain/Task.ts"
import { TaskNotFound } from "../../domain/TaskError.ts"
import { StateRepository } from "../../ports/StateRepository.ts"
import { TypeLimits } from "../../ports/TypeLimits.ts"
import * as Changes from "./Changes.ts"
import * as Claims from "./Claims.ts"
import * as Client from "./Client.ts"
import * as Database from "./Database.ts"
import * as Entries from "./Entries.ts"
import * as Feed from "./Feed.ts"
import * as FlowRow from "./FlowRow.ts"
import * as Held from "./Held.ts"
import * as Lasting from "./Lasting.ts"
import * as Maintenance from "./Maintenance.ts"
import * as Migrations from "./Migrations.ts"
import * as Nodes from "./Nodes.ts"
import * as Overdue from "./Overdue.ts"
import { texts, uuids } from "./Parameters.ts"
import * as Pages from "./Pages.ts"
import * as Pruning from "./Pruning.ts"
import * as Room from "./Room.ts"
import * as Row from "./Row.ts"
import { counts, countsByType } from "./statements/counts.ts"
import { get } from "./statements/get.ts"
import { firstDue } from "./statements/lanes.ts"
import { remove } from "./statements/prune.ts"
import { sizes } from "./statements/sizes.ts"
import { ofNode, orphans } from "./statements/tasks.ts"
import * as Submits from "./Submits.ts"
import * as Told from "./Told.ts"

export interface PostgresOptions extends Nodes.NodeOptions {
  /** Unfinished tasks held at most. */
  readonly maxPending?: number
}

/** Tasks without a claimant, read together. */
const rescuedAtOnce = 1000

interface Count {
  readonly status: TaskStatus
  readonly n: number
}
const countsOf = (rows: ReadonlyArray<Count>): Record<TaskStatus, number> => {
  const found = { PENDING: 0, PROCESSING: 0, COMPLETED: 0, FAILED: 0 }
  for (const { n, status } of rows) found[status] += n
  return found
}

/** PostgreSQL holds the state and decides who runs what; any number of nodes may share it. */
export const make = Effect.fnUntraced(function* (options: PostgresOptions) {
  const sql = yield* PgClient.PgClient
  const limits = yield* TypeLimits
  const database = Database.make(sql)
  const hints = yield* PubSub.sliding<void>({ capacity: 1, replay: 1 })
  const ends = yield* PubSub.sliding<void>({ capacity: 1, replay: 1 })
  const hint = () => void PubSub.publishUnsafe(hints, undefined)
  const end = () => void PubSub.publishUnsafe(ends, undefined)

  const held = yield* Held.make
  const own = Database.make(yield* Client.beside(sql))
  const node = yield* Nodes.make(database, own, options, held.loseAll)
  const entryNames = yield* PubSub.unbounded<string>()
  const gaps = yield* PubSub.sliding<void>(1)
  const feed = yield* Feed.make(sql, database, {
    onChanges: (changes) => {
      for (const { after } of changes) if (after !== undefined) held.see(after)
      if (changes.some(({ after }) => after?.status === "PENDING")) hint()
      if (changes.some(({ after }) => after !== undefined && isFinished(after) && !held.hasEnded(after))) {
        // what was held back may begin
        hint()
        end()
      }
    },
    onEntry: (name) => {
      // what another node has let go may begin here
      if (name === FlowRow.entryName) hint()
      PubSub.publishUnsafe(entryNames, name)
    },
    onReturn: () => {
      hint()
      end()
    },
    onGap: () => {
      hint()
      end()
      void PubSub.publishUnsafe(gaps, undefined)
    }
  })
  const claims = Claims.make(database, node.id, limits)

  const overdue = Overdue.make(database)
  const onChange = (before: VenomTask, after: VenomTask): void => {
    overdue.note(after)
    if (after.status !== "PROCESSING") {
      held.end(after)
      hint()
    }
    if (isFinished(after) && !isFinished(before)) end()
    feed.stir()
  }
  const counted = Effect.map(database.query<Count>(counts), countsOf)
  const room = Room.make(
    options.maxPending ?? Number.MAX_SAFE_INTEGER,
    Effect.map(counted, ({ PENDING, PROCESSING }) => PENDING + PROCESSING)
  )
  const { changeAll, reopen, update } = yield* Changes.make(database, room, onChange)
  const submit = yield* Submits.make(sql, database, room, (tasks) => {
    for (const task of tasks) overdue.note(task)
    hint()
    feed.stir()
  })
  yield* Maintenance.run(database, node.lead)

  /** A claim whose answer was lost: nobody makes an attempt of it. */
  let mayHoldMore = false
  const releaseUnheld = Effect.gen(function* () {
    if (!mayHoldMore) return
    const rows = yield* database.query<Row.Row>(ofNode, [yield* node.id])
    const now = yield* Clock.currentTimeMillis
    const unheld = rows.map(Row.read).filter((task) => !held.has(task))
    yield* changeAll(
      unheld.map((task) => ({ id: task.id, transition: Lifecycle.heldBy(task, Lifecycle.release(now)), known: task }))
    )
    mayHoldMore = false
  })

  /** What is held here may have been ended, and nobody has told. */
  const checkHeld = Effect.gen(function* () {
    const before = held.all()
    if (before.length === 0) return
    const rows = yield* database.query<Row.Row>(ofNode, [yield* node.id])
    held.loseUnless(before, rows.map(Row.read))
  }).pipe(Effect.retry(Schedule.spaced("1 second")))
  yield* Lasting.run(
    "Looking for claims that are lost",
    "1 second",
    Stream.runForEach(Stream.fromPubSub(gaps), () => checkHeld)
  )

  return StateRepository.of({
    insert: submit,
    remove: Effect.fnUntraced(function* (id, expected) {
      for (;;) {
        const [row] = yield* database.query<Row.Row>(get, [uuids([id])])
        if (row === undefined) return yield* new TaskNotFound({ taskId: id })
        const task = Row.read(row)
        yield* Effect.fromResult(Lifecycle.mayBeDeleted(task, expected))
        const gone = yield* Database.certain(
          database.query(remove, [id, task.revision, `[${Told.write(task, undefined)}]`]),
          Effect.map(database.query(get, [uuids([id])]), (rows) =>
            rows.length === 0 ? Option.some([{ id }]) : Option.none()
          )
        )
        feed.stir()
        if (gone.length > 0) return
      }
    }),
    put: (put) => Effect.tap(Entries.putAlone(database, put), () => Effect.sync(feed.stir)),
    entry: (name) => Entries.get(database, name),
    entries: (prefix) => Entries.startingWith(database, prefix),
    expireEntries: (asked) => Entries.expire(database, asked),
    flow: FlowRow.read(database),
    updateFlow: (decide) =>
      Effect.map(FlowRow.update(database, decide), (flow) => {
        hint()
        feed.stir()
        return flow
      }),
    update,
    reopen,
    claim: (asked) =>
      Effect.uninterruptible(
        Effect.gen(function* () {
          yield* releaseUnheld
          const claimed = yield* Effect.tapError(claims.claim(asked), (error) =>
            Effect.sync(() => {
              mayHoldMore ||= error instanceof Database.Failed && error.isDoubtful
            })
          )
          held.begin(claimed)
          if (claimed.length > 0) feed.stir()
          return claimed
        })
      ),
    settle: (settlements) =>
      changeAll(
        settlements.map(({ claimed, transition }) => ({
          id: claimed.id,
          transition: Lifecycle.heldBy(claimed, transition),
          known: claimed
        }))
      ),
    rescue: Effect.fnUntraced(function* (transition) {
      const rescued: Array<VenomTask> = []
      for (;;) {
        const rows = yield* database.query<Row.Row>(orphans, [rescuedAtOnce])
        const decisions = yield* changeAll(
          rows.map(Row.read).map((orphan) => ({
            id: orphan.id,
            transition: Lifecycle.heldBy(orphan, transition),
            known: orphan
          }))
        )
        const changed = decisions.flatMap((decision) => (Result.isSuccess(decision) ? [decision.success] : []))
        rescued.push(...changed)
        if (rows.length < rescuedAtOnce || changed.length === 0) return rescued
      }
    }),
    prune: (asked) => Pruning.prune(database, asked),
    get: (id) =>
      Effect.map(database.query<Row.Row>(get, [uuids([id])]), ([row]) =>
        Option.map(Option.fromUndefinedOr(row), Row.read)
      ),
    page: (filter, request) => Pages.read(database, filter, request),
    counts: counted,
    queueCounts: Effect.fnUntraced(function* ({ now, types }) {
      const named = Object.keys(Flow.within(yield* FlowRow.read(database), limits).types)
      const rows = yield* database.query<Count & { readonly type: string }>(countsByType, [types, texts(named)])
      const [due] = yield* database.query<{ readonly at: bigint | null }>(firstDue)
      const oldest = Option.map(Option.fromNullishOr(due?.at), Number)
      return {
        statuses: yield* counted,
        types: Array.from(new Set([...named, ...rows.map(({ type }) => type)]), (type) => ({
          type,
          statuses: countsOf(rows.filter((row) => row.type === type))
        })),
        oldestDue: Option.filter(oldest, (at) => at <= now)
      }
    }),
    standing: claims.standing,
    overdue: overdue.read,
    nextDue: claims.nextDue,
    wake: Stream.fromPubSub(hints),
    finished: Stream.fromPubSub(ends),
    changes: Stream.fromPubSub(feed.changes),
    gaps: Stream.fromPubSub(gaps),
    position: Effect.sync(feed.position),
    health: Effect.gen(function* () {
      for (const health of [own.health, database.health, node.health]) {
        const found = yield* health
        if (found._tag !== "Writable") return found
      }
      return { _tag: "Writable" }
    }),
    storage: Effect.map(database.query<{ readonly name: string; readonly bytes: number }>(sizes), (files) => ({
      kind: "postgres",
      files,
      recovered: undefined
    })),
    isShared: true,
    past: Effect.sync(feed.past),
    nodes: node.all,
    lead: node.lead,
    lost: held.lost,
    orphaned: node.orphaned,
    changedEntries: Stream.fromPubSub(entryNames)
  })
})

/**
 * Over a client that is there already: that of an application. The tables are brought to this version first. What is
 * submitted in a transaction of the same client is committed with it, or not at all.
 */
export const layer = (options: PostgresOptions = {}) =>
  Layer.effect(
    StateRepository,
    Effect.gen(function* () {
      yield* Migrations.run(yield* PgClient.PgClient)
      return yield* make(options)
    })
  )
