import * as Api from "./Api.ts"
import type * as Wire from "./Wire.ts"

/** A text as one word of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** The request that would make a task like this one. Only what was asked for is said, not what became of it. */
export const requestOf = (task: Wire.Task): Wire.TaskRequest => {
  const { backoff, concurrency_key, content, max_attempts, priority, retention, tags, timeout, type } = task
  return {
    content,
    ...(type === "default" ? {} : { type }),
    ...(priority === 0 ? {} : { priority }),
    max_attempts,
    ...(tags.length === 0 ? {} : { tags }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(backoff === undefined ? {} : { backoff }),
    ...(concurrency_key === undefined ? {} : { concurrency_key }),
    ...(retention === undefined ? {} : { retention })
  }
}

/** A command for a terminal that submits the task anew; the key comes from the environment, never from here. */
export const submit = (task: Wire.Task, isLocked: boolean): string =>
  [
    `curl ${quoted(new URL("api/v1/tasks", Api.base).href)}`,
    `-H ${quoted("content-type: application/json")}`,
    ...(isLocked ? ['-H "authorization: Bearer $VENOM_API_KEY"'] : []),
    `-d ${quoted(JSON.stringify(requestOf(task)))}`
  ].join(" \\\n  ")
