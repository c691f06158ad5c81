import { Effect } from "effect"
import type { TaskId, TaskStatus, VenomTask } from "../domain/Task.ts"
import type { Client } from "./Service.ts"
import type * as Trouble from "./Trouble.ts"

const largest = 500

export interface Wanted {
  readonly filter: {
    readonly status?: TaskStatus
    readonly type?: string
    readonly tag?: string
    readonly q?: string
  }
  readonly most: number
  readonly after: TaskId | undefined
}

/** Tasks in pages, newest first, one page at a time in memory. Gives whether there are more. */
export const each = <E extends Trouble.Trouble, R>(
  client: Client,
  { after, filter, most }: Wanted,
  visit: (tasks: ReadonlyArray<VenomTask>) => Effect.Effect<void, E, R>
) =>
  Effect.gen(function* () {
    let cursor = after
    for (let left = most; left > 0;) {
      const limit = Math.min(left, largest)
      const { body: tasks, headers } = yield* client.tasks.list({
        query: { ...filter, limit, ...(cursor === undefined ? {} : { cursor }) }
      })
      yield* visit(tasks)
      left -= tasks.length
      const last = tasks.at(-1)
      if (headers.link === undefined || last === undefined) return false
      cursor = last.id
    }
    return true
  })
