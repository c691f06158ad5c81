import type { PgClient } from "@effect/sql-pg"
import { Effect, Latch, PubSub, Queue, type Scope } from "effect"
import type { Change } from "../../ports/StateRepository.ts"
import type { Database, Failed } from "./Database.ts"
import * as Lasting from "./Lasting.ts"
import { numbers, uuids } from "./Parameters.ts"
import { feed, late, newest, newestRows } from "./statements/feed.ts"
import * as Row from "./Row.ts"
import { get } from "./statements/get.ts"
import * as Told from "./Told.ts"

/** Whatever is missed is found so late at most. */
const poll = "1 second"
/** What happens meanwhile is read together: so long where little happens, and so long where much does. */
const shortRest = "4 millis"
const longRest = "20 millis"
/** Changes found at once that are much. */
const much = 32
/** While it is not known what became of a number that is missing. */
const missingPoll = "5 millis"
/** A transaction that takes longer has its number passed over: it is looked for apart from then on. */
const missingFor = 3000
/** So often, in milliseconds; for so long; and so many numbers at most. */
const lateEvery = 500
const lateFor = 600_000
const mostLate = 1000
/** Others are told of what has happened here at most so often. */
const notifyEvery = "40 millis"
/** The pause after the database refused. */
const pause = "500 millis"

const channel = "venom"

/** Places that one row has: for its changes, and for what is not told before the next. */
const inRow = 65_536
const mostGaps = 1024

/** Rows that are told to those who come back to a node that has only begun. */
const pastRows = 1000
/** Of them, as the database holds them. */
const pastBytes = 1_000_000

/** Changes that are kept for whoever begins to listen. */
const mostPast = 20_000

/** Where it begins that has been told nothing: after all changes of a row, and before those of the next. */
const beginning = (place: number): number => place * inRow + inRow - mostGaps

interface Kept {
  readonly seq: bigint
  readonly body: string
}

interface FeedRow {
  readonly seq: bigint | null
  readonly body: string
  readonly xmin: string
  readonly xmax: string
  readonly newest: bigint
}

/** A number whose transaction may still run: not once all have ended that ran when it was missed. */
interface Missing {
  readonly seq: number
  readonly xmax: bigint
  readonly since: number
}

/** What happens at all nodes, in one order for all of them. */
export interface Feed {
  readonly changes: PubSub.PubSub<ReadonlyArray<Change>>
  readonly position: () => number
  /** What was told until now; to be asked once. */
  readonly past: () => ReadonlyArray<Change>
  /** Something has happened here. */
  readonly stir: () => void
}

export const make = Effect.fnUntraced(function* (
  sql: PgClient.PgClient,
  database: Database,
  told: {
    readonly onChanges: (changes: ReadonlyArray<Change>) => void
    readonly onEntry: (name: string) => void
    /** What has happened may not have been told in time. */
    readonly onReturn: () => void
    /** Something that has happened is not told. */
    readonly onGap: () => void
  }
): Effect.fn.Return<Feed, Failed, Scope.Scope> {
  const changes = yield* PubSub.unbounded<ReadonlyArray<Change>>()
  const mayHaveMore = yield* Latch.make(false)
  const toNotify = yield* Latch.make(false)
  const [last] = yield* database.query<{ readonly newest: bigint }>(newest)
  let place = Number(last?.newest ?? 0)
  let position = beginning(place)
  let past: Array<Change> | undefined = []
  for (const { body, seq } of yield* database.query<Kept>(newestRows, [place, pastRows, pastBytes])) {
    past.push(...Told.read(body, (index) => Number(seq) * inRow + index).changes)
  }
  let missing: Missing | undefined
  let passedOver: ReadonlyArray<Missing> = []
  let lookedAt = 0

  /** Ends that were too long to be told are read from the tasks, as long as those have not gone on. */
  const whole = Effect.fnUntraced(function* (told: ReturnType<typeof Told.read>["changes"]) {
    const long = told.flatMap(({ after, isLong }) => (isLong === true && after !== undefined ? [after.id] : []))
    if (long.length === 0) return told
    const rows = yield* database.query<Row.Row>(get, [uuids(long)])
    const tasks = new Map(rows.map(Row.read).map((task) => [task.id, task]))
    return told.map((change) => {
      const task = change.after === undefined || change.isLong !== true ? undefined : tasks.get(change.after.id)
      return task === undefined || task.revision !== change.after?.revision
        ? change
        : { ...change, after: { ...change.after, result: task.result, failure: task.failure } }
    })
  })

  const leaveOut = (): void => {
    if (past !== undefined) past = []
    position++
    told.onGap()
  }

  const tell = Effect.fnUntraced(function* (seq: number, body: string) {
    const { changes: read, entries } = Told.read(body, (index) => seq * inRow + index)
    const found = yield* whole(read)
    place = seq
    missing = undefined
    for (const name of entries) told.onEntry(name)
    const newestFound = found.at(-1)
    if (newestFound === undefined) return 0
    position = newestFound.position
    past?.push(...found)
    // nobody has asked for it
    if (past !== undefined && past.length > mostPast) past = past.slice(-mostPast / 2)
    told.onChanges(found)
    PubSub.publishUnsafe(changes, found)
    return found.length
  })

  const passOver = (missing: Missing, until: number): void => {
    const room = Math.min(until - missing.seq, mostLate - passedOver.length)
    const numbers = Array.from({ length: room }, (_, n) => ({ ...missing, seq: missing.seq + n }))
    passedOver = [...passedOver, ...numbers]
    if (room < until - missing.seq) leaveOut()
  }

  /** What comes so late cannot be told in its order. */
  const readLate = Effect.fnUntraced(function* (xmin: bigint) {
    const now = performance.now()
    if (passedOver.length === 0 || now - lookedAt < lateEvery) return
    lookedAt = now
    const rows = yield* database.query<Kept>(late, [numbers(passedOver.map(({ seq }) => seq))])
    const come = new Set(rows.map(({ seq }) => Number(seq)))
    const isTooLate = ({ since }: Missing) => now - since > lateFor
    const isGap = come.size > 0 || passedOver.some(isTooLate)
    passedOver = passedOver.filter((one) => !come.has(one.seq) && one.xmax > xmin && !isTooLate(one))
    for (const { body } of rows) {
      const { changes, entries } = Told.read(body, () => position)
      for (const name of entries) told.onEntry(name)
      told.onChanges(changes)
    }
    if (isGap) leaveOut()
  })

  /** Whether there may be more at once, or something is missing; and how much has been told. */
  const read = Effect.gen(function* () {
    const rows = yield* database.query<FeedRow>(feed, [place])
    yield* readLate(BigInt(rows[0]?.xmin ?? 0))
    const newestThere = Number(rows[0]?.newest ?? place)
    if (newestThere < place) {
      // the database has lost what was told, as after a failover: what comes has lower numbers
      place = newestThere
      position = beginning(place)
      missing = undefined
      passedOver = []
      leaveOut()
      return { state: "more", changed: 0 }
    }
    let count = 0
    let changed = 0
    for (const { body, seq, xmax, xmin } of rows) {
      if (seq === null) break
      const next = Number(seq)
      if (next !== place + 1) {
        const now = performance.now()
        if (missing?.seq !== place + 1) missing = { seq: place + 1, xmax: BigInt(xmax), since: now }
        const hasEnded = BigInt(xmin) >= missing.xmax
        if (!hasEnded && now - missing.since <= missingFor) return { state: "missing", changed }
        if (!hasEnded) passOver(missing, next)
        if (next - place > pastRows) leaveOut()
      }
      changed += yield* tell(next, body)
      count++
    }
    return { state: count === 50 ? "more" : "idle", changed }
  })

  const follow = Effect.gen(function* () {
    yield* mayHaveMore.close
    const { changed, state } = yield* read
    const isMuch = changed >= much
    if (state === "missing") return yield* Effect.sleep(isMuch ? longRest : missingPoll)
    if (state === "more") return
    if (state === "idle") yield* Effect.raceFirst(mayHaveMore.await, Effect.sleep(poll))
    yield* Effect.sleep(isMuch ? longRest : shortRest)
  }).pipe(Effect.catchTag("StorageError", () => Effect.sleep(pause)))

  let isBack = false
  const listen = Effect.gen(function* () {
    const notifications = yield* sql.listen(channel)
    // nobody knows what has happened meanwhile
    if (isBack) told.onReturn()
    isBack = true
    for (;;) {
      yield* mayHaveMore.open
      yield* Queue.takeAll(notifications)
    }
  }).pipe(
    Effect.scoped,
    Effect.catchTag("SqlError", () => Effect.sleep(pause))
  )

  const notify = Effect.gen(function* () {
    yield* toNotify.await
    yield* toNotify.close
    yield* Effect.ignore(database.query("select pg_notify($1, '')", [channel]))
    yield* Effect.sleep(notifyEvery)
  })

  yield* Lasting.run("Following what happens", pause, follow)
  yield* Lasting.run("Listening to other nodes", pause, listen)
  yield* Lasting.run("Telling other nodes", pause, notify)

  return {
    changes,
    position: () => position,
    past: () => {
      const told = past ?? []
      past = undefined
      return told
    },
    stir: () => {
      mayHaveMore.openUnsafe()
      toNotify.openUnsafe()
    }
  }
})
