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
