import { Clock, Effect } from "effect"
import { QueueFull, type StorageError } from "../../ports/StorageError.ts"

/** A count is trusted for so long where it says that there is room. */
const trustedFor = 1000

export interface Room {
  /** Counts so many tasks that are to come in, or refuses them; they are on their way until they are `settled`. */
  readonly take: (tasks: number) => Effect.Effect<void, StorageError | QueueFull>
  /** They have come in, or not. */
  readonly settled: (tasks: number) => void
  /** Counts so many tasks that this transaction has added, or refuses them. */
  readonly taken: (tasks: number) => Effect.Effect<void, StorageError | QueueFull>
}

/** How many more unfinished tasks may come in. What other nodes take in is known a moment later. */
export const make = (limit: number, unfinished: Effect.Effect<number, StorageError>): Room => {
  let left = 0
  let countedAt = Number.NEGATIVE_INFINITY
  let onTheirWay = 0
  let arrived = 0

  /** What comes in while it is counted may be in the count or not: then it is counted again. */
  const counted: Effect.Effect<number, StorageError> = Effect.suspend(() => {
    const before = arrived
    return Effect.flatMap(unfinished, (count) => (arrived === before ? Effect.succeed(count) : counted))
  })

  const fits = Effect.fnUntraced(function* (tasks: number, uncounted: number) {
    const now = yield* Clock.currentTimeMillis
    if (left >= tasks && Math.abs(now - countedAt) <= trustedFor) return
    left = limit - (yield* counted) - onTheirWay + tasks - uncounted
    countedAt = now
    if (left < tasks) return yield* new QueueFull({ limit, of: "unfinished tasks" })
  })

  const isUnlimited = limit === Number.MAX_SAFE_INTEGER
  return {
    take: Effect.fnUntraced(function* (tasks) {
      if (isUnlimited || tasks === 0) return
      yield* fits(tasks, tasks)
      left -= tasks
      onTheirWay += tasks
    }),
    settled: (tasks) => {
      onTheirWay -= isUnlimited ? 0 : tasks
      arrived += tasks
    },
    taken: Effect.fnUntraced(function* (tasks) {
      if (isUnlimited || tasks === 0) return
      yield* fits(tasks, 0)
      left -= tasks
    })
  }
}
