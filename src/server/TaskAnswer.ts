import { isFinished, type VenomTask } from "../domain/Task.ts"
import * as TaskJson from "../domain/TaskJson.ts"

/** The revision of a task, as `If-None-Match` asks for it. */
export const tag = (task: VenomTask): string => `"${task.revision}"`

/** Until a task is final it is worth asking again. */
export const headers = (task: VenomTask): Readonly<Record<string, string>> =>
  isFinished(task) ? { etag: `W/${tag(task)}` } : { etag: `W/${tag(task)}`, "retry-after": "1" }

export const text = (task: VenomTask): string => TaskJson.toJson(task)
