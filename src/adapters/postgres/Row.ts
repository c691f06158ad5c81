import { Result } from "effect"
import * as Callback from "../../domain/Callback.ts"
import * as Lifecycle from "../../domain/Lifecycle.ts"
import * as Span from "../../domain/Span.ts"
import { isFinished, type VenomTask } from "../../domain/Task.ts"
import { fromWire, toJson } from "../../domain/TaskJson.ts"
import { flags, numbers, texts, uuids } from "./Parameters.ts"
import { escape, unescape } from "./Text.ts"

/** What a task is read from. */
export interface Row {
  readonly content: string
  readonly state: string
  readonly claimed_at: bigint | null
}

/** Of the table named `t`. */
export const columns = "t.content, t.state, t.claimed_at"

/** A claim is written without the state being written anew: it is what the domain makes of that. */
export const read = ({ claimed_at, content, state }: Row): VenomTask => {
  const wire: unknown = JSON.parse(state)
  const found = Result.map(fromWire(wire), (task) => ({ ...task, content: unescape(content) }))
  const task = claimed_at === null ? found : Result.flatMap(found, Lifecycle.claim(Number(claimed_at)))
  return Result.getOrThrowWith(task, (wrong) => new Error(`A row of venom.task cannot be read: ${String(wrong)}`))
}

const stateOf = (task: VenomTask): string => toJson({ ...task, content: "" })

const ownEnd = ({ finishedAt, retention, status }: VenomTask): number | null =>
  retention === undefined || finishedAt === null || !isFinished({ status })
    ? null
    : Math.ceil(finishedAt + Span.millis(retention))

/** Columns that change, each an array, in the order of `changing`. */
export const changingOf = (tasks: ReadonlyArray<VenomTask>) => [
  texts(tasks.map(({ status }) => status)),
  numbers(tasks.map(({ runAt }) => runAt)),
  numbers(tasks.map(({ attempt }) => attempt)),
  numbers(tasks.map(({ maxAttempts }) => maxAttempts)),
  numbers(tasks.map(({ startedAt }) => startedAt)),
  numbers(tasks.map(({ finishedAt }) => finishedAt)),
  numbers(tasks.map(ownEnd)),
  flags(tasks.map((task) => Callback.isOwed(task))),
  numbers(tasks.map(({ revision }) => revision)),
  texts(tasks.map(stateOf))
]

export const changing = [
  "status",
  "run_at",
  "attempt",
  "max_attempts",
  "started_at",
  "finished_at",
  "own_end",
  "owed",
  "revision",
  "state"
] as const

export const uniqueKeyOf = ({ uniqueKey }: VenomTask): string | null =>
  uniqueKey === undefined ? null : escape(uniqueKey)

/** Those that stay as they were, in the order of `fixed`. */
export const fixedOf = (tasks: ReadonlyArray<VenomTask>) => [
  uuids(tasks.map(({ id }) => id)),
  texts(tasks.map(({ type }) => type)),
  numbers(tasks.map(({ priority }) => priority)),
  numbers(tasks.map(({ deadline }) => deadline ?? null)),
  texts(tasks.map(({ concurrencyKey }) => (concurrencyKey === undefined ? "" : escape(concurrencyKey)))),
  texts(tasks.map(uniqueKeyOf)),
  texts(tasks.map(({ tags }) => JSON.stringify(tags))),
  texts(tasks.map(({ content }) => escape(content)))
]

export const fixed = [
  "id",
  "type",
  "priority",
  "deadline",
  "concurrency_key",
  "unique_key",
  "tags",
  "content"
] as const

const arrays: Readonly<Record<(typeof fixed)[number] | (typeof changing)[number], string>> = {
  id: "uuid",
  type: "text",
  priority: "float8",
  deadline: "float8",
  concurrency_key: "text",
  unique_key: "text",
  tags: "text",
  content: "text",
  status: "text",
  run_at: "float8",
  attempt: "float8",
  max_attempts: "float8",
  started_at: "float8",
  finished_at: "float8",
  own_end: "float8",
  owed: "bool",
  revision: "float8",
  state: "text"
}

/** `$1::uuid[], $2::text[], …`, from a number on. */
export const placeholders = (names: ReadonlyArray<keyof typeof arrays>, from: number): string =>
  names.map((name, n) => `$${n + from}::${arrays[name]}[]`).join(", ")
