import { Effect } from "effect"
import type { VenomTask } from "../../domain/Task.ts"
import { dueFirst } from "./Lane.ts"

/** Tasks of a key and a priority, as they were when it was asked; some of them are outdated. */
export interface Rivals {
  readonly key: string | undefined
  readonly priority: number
  readonly turn: number
  readonly tasks: ReadonlyArray<VenomTask>
}

/** Tasks looked at before others may run. */
const slice = 2000

/**
 * How many tasks are claimed before one, if nothing changes meanwhile and nothing holds it back. Those before it with
 * the same key come in rounds: in each of them every other key, while it has any, gets one attempt.
 */
export const before = (
  task: VenomTask,
  rivals: ReadonlyArray<Rivals>,
  isWaiting: (entry: VenomTask) => boolean
): Effect.Effect<number> =>
  Effect.gen(function* () {
    let moreUrgent = 0
    let ofKey = 0
    /** Its key's; the last one where it is not there yet. */
    let turn = Number.POSITIVE_INFINITY
    const others = new Map<string | undefined, { readonly turn: number; count: number }>()
    let seen = 0
    for (const lane of rivals) {
      if (lane.priority > task.priority) continue
      const isOwn = lane.priority === task.priority && lane.key === task.concurrencyKey
      let count = 0
      for (const entry of lane.tasks) {
        if (++seen % slice === 0) yield* Effect.yieldNow
        if (isWaiting(entry) && (!isOwn || dueFirst(entry, task))) count++
      }
      if (lane.priority < task.priority) moreUrgent += count
      else if (isOwn) {
        ofKey += count
        turn = lane.turn
      } else {
        const other = others.get(lane.key)
        if (other === undefined) others.set(lane.key, { turn: lane.turn, count })
        else other.count += count
      }
    }
    let inTurn = 0
    for (const other of others.values()) inTurn += Math.min(other.count, ofKey + (other.turn < turn ? 1 : 0))
    return moreUrgent + ofKey + inTurn
  })
