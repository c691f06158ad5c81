import type { ComponentChildren } from "preact"
import * as Route from "./Route.ts"
import { Ago } from "./Time.tsx"
import type * as Wire from "./Wire.ts"

const spanText = (value: string | number): string => (typeof value === "number" ? `${value} ms` : value)

const backoffText = ({ base, cap, jitter, kind }: NonNullable<Wire.Task["backoff"]>): string =>
  [
    kind,
    base === undefined ? "" : `from ${spanText(base)}`,
    cap === undefined ? "" : `up to ${spanText(cap)}`,
    jitter === undefined ? "" : `jitter ${jitter}`
  ]
    .filter((part) => part !== undefined && part !== "")
    .join(", ")

const callbackText = ({ attempts, last_error, state }: NonNullable<Wire.Task["callback"]>): string =>
  `${state.replace("_", " ")} after ${attempts} attempts${last_error === null ? "" : `: ${last_error}`}`

const time = (at: string | null = null): ComponentChildren => (at === null ? undefined : <Ago at={at} />)

/** How it was asked for. What says nothing is left out. */
export const Facts = ({ task }: { readonly task: Wire.Task }) => {
  const facts: ReadonlyArray<readonly [string, ComponentChildren]> = [
    ["Type", <a href={Route.href("tasks", { type: task.type })}>{task.type}</a>],
    ["Submitted", time(task.created_at)],
    [task.status === "PENDING" ? "Not before" : "Was due", time(task.run_at)],
    ["Finished", time(task.finished_at)],
    ["Attempts", `${task.attempt} of ${task.max_attempts}`],
    ["Priority", task.priority === 0 ? undefined : `${task.priority}`],
    ["Timeout", task.timeout === undefined ? undefined : spanText(task.timeout)],
    ["Backoff", task.backoff === undefined ? undefined : backoffText(task.backoff)],
    ["Deadline", time(task.deadline)],
    ["Concurrency key", task.concurrency_key],
    ["Unique key", task.unique_key],
    ["Kept for", task.retention === undefined ? undefined : spanText(task.retention)],
    ["Callback", task.callback === undefined ? undefined : callbackText(task.callback)],
    [
      "Tags",
      task.tags.length === 0
        ? undefined
        : task.tags.map((tag) => (
            <a key={tag} class="tag" href={Route.href("tasks", { tag })}>
              {tag}
            </a>
          ))
    ]
  ]
  return (
    <section class="panel" aria-labelledby="facts">
      <h2 id="facts">How it is to run</h2>
      <dl class="facts">
        {facts.map(([name, value]) =>
          value === undefined ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          )
        )}
      </dl>
    </section>
  )
}
