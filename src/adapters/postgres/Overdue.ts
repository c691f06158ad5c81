import { Effect, Option } from "effect"
import type { Instant, VenomTask } from "../../domain/Task.ts"
import type { Overdue } from "../../ports/StateRepository.ts"
import type { Database, Failed } from "./Database.ts"
import * as Row from "./Row.ts"
import { overdue } from "./statements/tasks.ts"

/** What other nodes have taken in is seen so late at most, in milliseconds. */
const longest = 1000

/** PENDING tasks whose deadline has passed. Most of the time there are none, and nobody is asked. */
export const make = (database: Database) => {
  let next: Instant | undefined
  let until = 0
  let notes = 0

  return {
    /** A task that was changed here: it may be the next one. */
    note: ({ deadline }: Pick<VenomTask, "deadline">): void => {
      if (deadline === undefined) return
      until = 0
      notes++
    },
    read: Effect.fnUntraced(function* ({
      limit,
      now
    }: {
      readonly now: Instant
      readonly limit: number
    }): Effect.fn.Return<Overdue, Failed> {
      if (performance.now() < until && (next === undefined || next > now)) {
        return { tasks: [], next: Option.fromUndefinedOr(next) }
      }
      const asked = performance.now()
      const noted = notes
      const first = (yield* database.query<Row.Row>(overdue, [limit + 1])).map(Row.read)
      const tasks = first.slice(0, limit).filter(({ deadline }) => (deadline ?? now + 1) <= now)
      next = first[tasks.length]?.deadline
      until = tasks.length === 0 && noted === notes ? asked + longest : 0
      return { tasks, next: Option.fromUndefinedOr(next) }
    })
  }
}
