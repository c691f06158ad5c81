import { Effect } from "effect"
import type { TaskId, VenomTask } from "../../domain/Task.ts"
import type { PageRequest, TaskFilter, TaskPage } from "../../ports/StateRepository.ts"
import type { Database, Failed } from "./Database.ts"
import * as Row from "./Row.ts"
import { page } from "./statements/tasks.ts"
import { escape } from "./Text.ts"

/** Tasks read at once at most. */
const most = 1000

/** What the statement cannot tell for certain: what was looked for may have been found across the bounds of a text. */
const isMeant = (task: VenomTask, { tag, text }: TaskFilter): boolean =>
  (tag === undefined || task.tags.includes(tag)) && (text === undefined || task.content.includes(text))

/** A page of matching tasks, newest first. */
export const read = Effect.fnUntraced(function* (
  database: Database,
  filter: TaskFilter,
  { before, limit }: PageRequest
): Effect.fn.Return<TaskPage, Failed> {
  const { owed, status, tag, text, type } = filter
  const statement = page({ status: status !== undefined, type: type !== undefined, owed: owed !== undefined })
  const tasks: Array<VenomTask> = []
  for (let last: TaskId | undefined = before; ;) {
    const asked = Math.min(most, limit + 1 - tasks.length)
    const rows = yield* database.query<Row.Row>(statement, [
      last ?? null,
      tag === undefined ? null : `"${escape(tag)}"`,
      text === undefined || text === "" ? null : escape(text),
      asked,
      status ?? null,
      type ?? null
    ])
    const found = rows.map(Row.read)
    tasks.push(...found.filter((task) => isMeant(task, filter)))
    last = found.at(-1)?.id ?? last
    if (tasks.length > limit) return { tasks: tasks.slice(0, limit), more: true }
    if (rows.length < asked) return { tasks, more: false }
  }
})
