import * as TaskJson from "../domain/TaskJson.ts"
import type { Instant, VenomTask } from "../domain/Task.ts"
import * as Ago from "./Ago.ts"
import * as SafeText from "./SafeText.ts"
import type { Screen } from "./Service.ts"
import * as Style from "./Style.ts"
import type { Column } from "./Table.ts"

/** Longer content is not looked at for one line. */
const glance = 500

const percent = ({ progress }: VenomTask): string =>
  progress === null || progress.percent === null ? "" : ` ${Math.round(progress.percent)}%`

/** A list of tasks: relative times and titles for a person, times as they are for a program. */
export const columns = ({ isTerminal }: Pick<Screen, "isTerminal">, now: Instant): ReadonlyArray<Column<VenomTask>> => [
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

/** All of a task, for a person. */
export const details = (task: VenomTask, { isTerminal, now, style }: Screen): ReadonlyArray<string> => {
  const time = (instant: Instant | null) =>
    instant === null ? undefined : isTerminal ? `${Ago.of(instant, now)}  (${Ago.iso(instant)})` : Ago.iso(instant)
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
