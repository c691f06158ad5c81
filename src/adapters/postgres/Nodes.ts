import { Clock, Duration, Effect, Latch, PubSub, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { hostname } from "node:os"
import type { Node } from "../../ports/StateRepository.ts"
import type { StorageHealth } from "../../ports/Storage.ts"
import { StorageError } from "../../ports/StorageError.ts"
import type { Database } from "./Database.ts"
import * as Lasting from "./Lasting.ts"
import * as statements from "./statements/nodes.ts"

export interface NodeOptions {
  /** What nodes are told apart by, for those who look. */
  readonly name?: string
  readonly version?: string
  /** Attempts that it runs at once. */
  readonly concurrency?: number
  /** How long it counts as alive that says nothing. */
  readonly lease?: Duration.Input
  /** Told what the database's clock says, and what the clock here says at that moment. */
  readonly onTime?: (database: number, here: number) => void
}

/** Where no other one is asked for. */
export const usualLease = "10 seconds"

/** A lease is taken anew so often in its time. */
const beats = 3

/** So many milliseconds before the database does, a node takes its lease to be over: timers may be late. */
const margin = 500

const isOver = "the lease of this node is over"

/** In milliseconds, where a beat has been for nothing. */
const soon = 1

/** A lease of another node is looked at so long after it is over, in milliseconds. */
const late = 50

type NodeRow = Omit<Node, "startedAt" | "expiresAt"> & { readonly started_at: number; readonly expires_at: number }

interface Beat {
  readonly alive: boolean
  readonly leads: boolean
  readonly now: number
  readonly next: number | null
}

/**
 * This process among those that share a database. It counts as alive while it says so, over connections that nothing
 * else takes; once it has not for the time of its lease, what it has claimed is lost, and it goes on under another id.
 */
export const make = Effect.fnUntraced(function* (
  database: Database,
  own: Database,
  options: NodeOptions,
  onLost: () => void
) {
  const random = yield* SecureRandom.SecureRandom
  const lease = Duration.toMillis(Duration.fromInputUnsafe(options.lease ?? usualLease))
  const held = lease - Math.min(margin, lease / beats)
  const { concurrency = 0, name = hostname(), onTime = () => undefined, version = "" } = options
  const leads = yield* Latch.make(false)
  /** How often it has begun to lead. */
  let term = 0
  const orphaned = yield* PubSub.sliding<void>({ capacity: 1, replay: 1 })
  /** Monotonic; none while it is not known to be alive. */
  let validUntil = Number.NEGATIVE_INFINITY
  let id = yield* random.uuidV7()
  let lostAt: number | undefined
  let isSilent = false

  /** Asks, and notes what time it was. */
  const timed = <A extends { readonly now: number }>(text: string, params: ReadonlyArray<unknown>) =>
    Effect.gen(function* () {
      const begun = performance.now()
      const before = yield* Clock.currentTimeMillis
      const [found] = yield* own.query<A>(text, params, lease / 2)
      if (found === undefined) return undefined
      onTime(found.now, before + (performance.now() - begun) / 2)
      return { found, begun }
    })

  const join = Effect.gen(function* () {
    const joining = id
    const joined = yield* timed<{ readonly now: number }>(statements.join, [joining, name, version, concurrency, lease])
    if (joined !== undefined && id === joining) validUntil = joined.begun + held
  })

  const lose = Effect.gen(function* () {
    const next = yield* random.uuidV7()
    validUntil = Number.NEGATIVE_INFINITY
    id = next
    lostAt = yield* Clock.currentTimeMillis
    yield* leads.close
    onLost()
    yield* Effect.logWarning("The lease of this node is over: what it ran may run elsewhere")
  })

  /** Tells in how many milliseconds the lease of another node is over. */
  const beat = Effect.gen(function* () {
    if (validUntil === Number.NEGATIVE_INFINITY) yield* join
    const beating = id
    const answer = yield* timed<Beat>(statements.beat, [beating, lease])
    // too late: nobody has joined under the id that it has now
    if (id !== beating) return soon
    if (answer === undefined) return lease
    const { begun, found } = answer
    if (!found.alive) {
      yield* lose
      yield* join
      return 0
    }
    validUntil = begun + held
    isSilent = false
    if (found.leads && !leads.isOpen()) term++
    yield* found.leads ? leads.open : leads.close
    if (found.leads || (found.next !== null && found.next <= 0)) PubSub.publishUnsafe(orphaned, undefined)
    return found.next ?? lease
  })

  const beatOnTime = Effect.gen(function* () {
    const next = yield* Effect.catchTag(beat, "StorageError", ({ reason }) =>
      Effect.as(
        isSilent ? Effect.void : Effect.logWarning("This node cannot say that it is alive", reason),
        lease / beats / 4
      ).pipe(
        Effect.tap(() =>
          Effect.sync(() => {
            isSilent = true
          })
        )
      )
    )
    yield* Effect.sleep(Math.max(10, Math.min(lease / beats, next > 0 ? next + late : lease / beats)))
  })

  /** The database cannot be asked: others may take what is claimed here when the lease is over. */
  const watch = Effect.gen(function* () {
    const left = validUntil - performance.now()
    if (left <= 0 && Number.isFinite(validUntil)) yield* lose
    yield* Effect.sleep(Number.isFinite(left) ? Math.max(10, left) : lease / beats)
  })

  yield* Effect.acquireRelease(join, () =>
    Effect.ignore(Effect.suspend(() => own.query(statements.leave, [id], lease / 2)))
  )
  yield* beat
  yield* Lasting.run("Saying that this node is alive", lease / beats / 4, beatOnTime)
  yield* Lasting.run("Watching the lease of this node", lease / beats / 4, watch)

  return {
    /** Under which it claims; none while it does not count as alive. */
    id: Effect.suspend(() =>
      validUntil > performance.now() ? Effect.succeed(id) : Effect.fail(new StorageError({ reason: isOver }))
    ),
    health: Effect.map(Clock.currentTimeMillis, (now): StorageHealth =>
      validUntil > performance.now()
        ? { _tag: "Writable" }
        : { _tag: "NotWritable", reason: isOver, since: lostAt ?? now }
    ),
    /** Returns while it is the one that does what is done once for all. */
    lead: Effect.andThen(
      leads.await,
      Effect.sync(() => term)
    ),
    all: Effect.map(database.query<NodeRow>(statements.nodes), (rows) =>
      rows.map(({ expires_at, started_at, ...row }): Node => ({
        ...row,
        startedAt: Math.round(started_at),
        expiresAt: Math.round(expires_at)
      }))
    ),
    /** Tasks may have lost the node that runs them. */
    orphaned: Stream.fromPubSub(orphaned)
  }
})
