import * as TaskJson from "../domain/TaskJson.ts"
import type { Instant, VenomTask } from "../domain/Task.ts"
import * as Ago from "./Ago.ts"
import * as SafeText from "./SafeText.ts"
import type { Screen } from "./Service.ts"
import * as Style from "./Style.ts"
import * as Table from "./Table.ts"

/** Longer content is not looked at for one line. */
const glance = 500

const percent = ({ progress }: VenomTask): string =>
  progress === null || progress.percent === null ? "" : ` ${Math.round(progress.percent)}%`

/** A list of tasks: relative times and titles for a person, times as they are for a program. */
export const columns = (
  { isTerminal }: Pick<Screen, "isTerminal">,
  now: Instant
): ReadonlyArray<Table.Column<VenomTask>> => [
  { title: "ID", cell: ({ id }) => ({ text: id, look: "dim" }), least: 36 },
  {
    title: "STATUS",
    cell: (task) => ({
      text: isTerminal ? `${task.status}${percent(task)}` : task.status,
      look: Style.ofStatus(task.status)
    }),
    least: 10
  },
  { title: "TYPE", cell: ({ type }) => ({ text: type }), least: 7 },
  { title: "TRIES", cell: ({ attempt, maxAttempts }) => ({ text: `${attempt}/${maxAttempts}` }), least: 5 },
  {
    title: "CREATED",
    cell: ({ createdAt }) => ({ text: isTerminal ? Ago.of(createdAt, now) : Ago.iso(createdAt), look: "dim" }),
    least: 11
  },
  { title: "CONTENT", cell: ({ content }) => ({ text: isTerminal ? content.slice(0, glance) : content }) }
]

const labelWidth = 14

/** All of a task. */
export const details = (task: VenomTask, screen: Screen): ReadonlyArray<string> =>
  screen.isTerminal ? shown(task, screen) : rows(task)

/** For programs: a name, as JSON has it, and its value; what a task has several of has several lines. */
const rows = (task: VenomTask): ReadonlyArray<string> =>
  Table.lines([
    ["id", task.id],
    ["status", task.status],
    ["type", task.type],
    ["priority", String(task.priority)],
    ["attempt", String(task.attempt)],
    ["max_attempts", String(task.maxAttempts)],
    ["created_at", Ago.iso(task.createdAt)],
    ["run_at", Ago.iso(task.runAt)],
    ["started_at", Ago.iso(task.startedAt)],
    ["finished_at", Ago.iso(task.finishedAt)],
    ["deadline", Ago.iso(task.deadline ?? null)],
    ["concurrency_key", task.concurrencyKey ?? ""],
    ["unique_key", task.uniqueKey ?? ""],
    ["progress", String(task.progress?.percent ?? ""), task.progress?.message ?? ""],
    ["failure", task.failure?.reason ?? "", task.failure?.message ?? ""],
    ["callback", task.callback?.state ?? ""],
    ["content", task.content],
    ["result", task.result ?? ""],
    ...task.tags.map((tag) => ["tag", tag]),
    ...task.logs.map((line) => ["log", line])
  ])

const shown = (task: VenomTask, { now, style }: Screen): ReadonlyArray<string> => {
  const time = (instant: Instant | null) =>
    instant === null ? undefined : `${Ago.of(instant, now)}  (${Ago.iso(instant)})`
  const rows: ReadonlyArray<readonly [label: string, text: string | undefined]> = [
    ["type", task.type],
    ["priority", String(task.priority)],
    ["attempt", `${task.attempt} of ${task.maxAttempts}`],
    ["tags", task.tags.length === 0 ? undefined : task.tags.join(", ")],
    ["unique key", task.uniqueKey],
    ["group key", task.concurrencyKey],
    ["created", time(task.createdAt)],
    ["runs from", task.status === "PENDING" ? time(task.runAt) : undefined],
    ["started", time(task.startedAt)],
    ["finished", time(task.finishedAt)],
    ["deadline", time(task.deadline ?? null)],
    ["progress", progress(task)],
    ["failure", task.failure === null ? undefined : `${task.failure.reason}: ${task.failure.message}`],
    ["callback", task.callback?.state]
  ]
  return [
    `${style("bold", task.id)}  ${style(Style.ofStatus(task.status), task.status)}`,
    ...rows.flatMap(([label, text]) => (text === undefined ? [] : [labelled(style, label, text)])),
    ...section(style, "content", task.content),
    ...(task.result === null ? [] : section(style, "result", task.result)),
    ...(task.logs.length === 0 ? [] : section(style, "logs", task.logs.join("\n")))
  ]
}

const labelled = (style: Style.Style, label: string, text: string) =>
  `${style("dim", SafeText.pad(label, labelWidth))}${SafeText.line(text)}`

const section = (style: Style.Style, label: string, text: string): ReadonlyArray<string> => [
  style("dim", label),
  ...SafeText.block(text)
    .split("\n")
    .map((line) => `  ${line}`)
]

const progress = ({ progress: now }: VenomTask): string | undefined =>
  now === null
    ? undefined
    : [now.percent === null ? "" : `${now.percent} %`, now.message ?? ""].filter((part) => part !== "").join(" ")

/** One sentence on how a task ended, or where it is. */
export const outcome = (task: VenomTask): string =>
  SafeText.line(
    task.failure === null
      ? `${task.id} is ${task.status}`
      : `${task.id} is ${task.status}: ${task.failure.reason}, ${task.failure.message}`
  )

export const toJson = (task: VenomTask) => TaskJson.toWire(task)
