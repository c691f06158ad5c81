import { Effect } from "effect"
import type { Database } from "./Database.ts"
import * as FlowRow from "./FlowRow.ts"
import * as Lasting from "./Lasting.ts"
import { foldTally } from "./statements/counts.ts"
import { forget } from "./statements/feed.ts"
import { bury } from "./statements/nodes.ts"

/** How often what has grown is cut back. */
const every = "5 seconds"

/** Seconds that a change is told of, and rows at most: for those who come back to go on where they were. */
const toldFor = 600
const toldAtMost = 20_000

/** Held by the node that does it. */
const lock = "select pg_try_advisory_xact_lock(x'76656e71'::int) as mine"

const cutBack = (database: Database) =>
  Effect.gen(function* () {
    const [row] = yield* database.query<{ readonly mine: boolean }>(lock)
    if (row?.mine !== true) return
    yield* database.query(foldTally)
    yield* database.query(forget, [toldFor, toldAtMost])
    yield* database.query(bury)
    yield* FlowRow.forgetOldStarts(database)
  }).pipe(database.transaction, Effect.ignore)

/** Keeps small what grows beside the tasks, on the node that leads; the lock is for the moment in which that changes. */
export const run = (database: Database, lead: Effect.Effect<unknown>) =>
  Lasting.run("Cutting back", every, Effect.andThen(lead, Effect.andThen(cutBack(database), Effect.sleep(every))))
