import * as IsoTime from "../domain/IsoTime.ts"
import { isFinished } from "../domain/Task.ts"
import type { EventId, TaskState, Told } from "../engine/Event.ts"
import type { FollowOptions } from "../engine/Events.ts"

const names = { Status: "status", Log: "log", Progress: "progress", Reset: "reset" } as const

const state = (task: TaskState) => ({
  task_id: task.id,
  status: task.status,
  attempt: task.attempt,
  run_at: IsoTime.format(task.runAt),
  ...(isFinished(task) ? { result: task.result, failure: task.failure } : undefined)
})

const data = (told: Told): unknown => {
  switch (told._tag) {
    case "Status":
      return state(told.task)
    case "Log":
      return { task_id: told.task.id, line: told.line }
    case "Progress":
      return { task_id: told.task.id, ...told.progress }
    case "Reset":
      return "task" in told ? state(told.task) : { counts: told.counts }
  }
}

const of = (told: Told): string =>
  `${told.id === undefined ? "" : place(told.id)}event: ${names[told._tag]}\ndata: ${JSON.stringify(data(told))}\n\n`

const place = (id: EventId) => `id: ${id}\n`

/** What a reader has from the start, before any event: the place to come back to. */
export const begin = (id: EventId): Uint8Array => Buffer.from(`${place(id)}\n`)

/** A sign of life, which says nothing. */
export const heartbeat: Uint8Array = Buffer.from(":\n\n")

const written = new WeakMap<ReadonlyArray<Told>, Uint8Array>()

/** Events as they are sent; readers who are given the same ones share them. */
export const all = (events: ReadonlyArray<Told>): Uint8Array => {
  const known = written.get(events)
  if (known !== undefined) return known
  const text = Buffer.from(events.map(of).join(""))
  written.set(events, text)
  return text
}

/** Where a reader goes on; a place that cannot be ours is before everything. */
export const from = (lastEventId: string | undefined): FollowOptions => {
  if (lastEventId === undefined || lastEventId === "") return {}
  return { after: /^\d{1,30}$/.test(lastEventId) ? BigInt(lastEventId) : -1n }
}
