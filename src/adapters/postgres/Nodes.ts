import { Duration, Effect } from "effect"
import { SecureRandom } from "effect/crypto"
import { hostname } from "node:os"
import type { Database } from "./Database.ts"
import * as statements from "./statements/nodes.ts"

export interface NodeOptions {
  /** What nodes are told apart by, for those who look. */
  readonly name?: string
  readonly version?: string
  /** Attempts that it runs at once. */
  readonly concurrency?: number
  /** How long it counts as alive that says nothing. */
  readonly lease?: Duration.Input
}

/** Part of a lease after which it is taken anew. */
const beats = 3

/** This process among those that share a database: alive as long as it says so. */
export const make = Effect.fnUntraced(function* (database: Database, options: NodeOptions) {
  const random = yield* SecureRandom.SecureRandom
  const lease = Math.ceil(Duration.toMillis(Duration.fromInputUnsafe(options.lease ?? "10 seconds")))
  const id = yield* random.uuidV7()
  const { concurrency = 0, name = hostname(), version = "" } = options
  const join = database.query(statements.join, [id, name, version, concurrency, lease])
  yield* Effect.acquireRelease(join, () => Effect.ignore(database.query(statements.leave, [id])))
  const beat = database.query(statements.beat, [id, lease])
  yield* Effect.forkScoped(
    Effect.sleep(Math.ceil(lease / beats)).pipe(Effect.andThen(Effect.ignore(beat)), Effect.forever)
  )
  return { id }
})
