import { Effect, Option } from "effect"
import type { Instant } from "../../domain/Task.ts"
import type { Gone, Retention } from "../../ports/StateRepository.ts"
import { type Database, type Failed, uncrossed } from "./Database.ts"
import * as statements from "./statements/prune.ts"

interface Ends {
  readonly completed: bigint | null
  readonly failed: bigint | null
  readonly own: bigint | null
}

/** What had finished by then has been kept for as long as is asked; nothing where it is kept for ever. */
const bound = (now: Instant, kept: number): number => (Number.isFinite(kept) ? Math.floor(now - kept) : -1e15)

/** As a number that can be added to a time. */
const finite = (kept: number): number => (Number.isFinite(kept) ? kept : 0)

/** Deletes finished tasks whose time is over, then the oldest of those that are too many. */
export const prune = (
  database: Database,
  options: {
    readonly now: Instant
    readonly retention: Retention
    readonly keep: number
    readonly limit: number
    readonly keepOwed?: boolean
  }
): Effect.Effect<Gone, Failed> => {
  const { keep, keepOwed = false, limit, now, retention } = options
  const { COMPLETED, FAILED } = retention
  const pruned = database.transaction(
    Effect.gen(function* () {
      yield* database.query(statements.lock)
      const [held] = yield* database.query<{ readonly finished: number; readonly owed: number }>(statements.finished)
      const finished = (held?.finished ?? 0) - (keepOwed ? (held?.owed ?? 0) : 0)
      // in its own statement: what is counted must be what is there when the lock is held
      return yield* database.query(statements.prune, [
        now,
        bound(now, COMPLETED),
        bound(now, FAILED),
        limit,
        Math.min(Math.max(0, finished - keep), 2 ** 31 - 1),
        keepOwed,
        finite(COMPLETED),
        finite(FAILED)
      ])
    })
  )
  return Effect.gen(function* () {
    const gone = yield* uncrossed(pruned)
    const [ends] = yield* database.query<Ends>(statements.nextEnds, [keepOwed])
    const next = Math.min(timeOf(ends?.completed, COMPLETED), timeOf(ends?.failed, FAILED), timeOf(ends?.own, 0))
    return { count: gone.length, next: Number.isFinite(next) ? Option.some(next) : Option.none() }
  })
}

const timeOf = (finishedAt: bigint | null | undefined, kept: number): number =>
  finishedAt === null || finishedAt === undefined ? Number.POSITIVE_INFINITY : Number(finishedAt) + kept
