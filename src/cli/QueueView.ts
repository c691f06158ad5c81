import { Schema } from "effect"
import { QueueState } from "../api/QueueApi.ts"
import { TaskStatus } from "../domain/Task.ts"
import * as Ago from "./Ago.ts"
import type { Screen } from "./Service.ts"
import * as Style from "./Style.ts"
import * as Table from "./Table.ts"

export const toJson = Schema.encodeSync(QueueState)

type OfType = QueueState["types"][number]

const columns: ReadonlyArray<Table.Column<OfType>> = [
  { title: "TYPE", cell: ({ type }) => ({ text: type }) },
  ...TaskStatus.literals.map((status): Table.Column<OfType> => ({
    title: status,
    cell: ({ counts }) => ({
      text: String(counts[status]),
      look: counts[status] === 0 ? "dim" : Style.ofStatus(status)
    })
  })),
  { title: "", cell: ({ paused }) => ({ text: paused ? "paused" : "", look: "yellow" }) }
]

/** How the queue stands, in a line. */
export const summary = ({ counts, limit, oldestDue, paused, running }: QueueState, { now, style }: Screen): string =>
  [
    paused ? style("yellow", "paused") : style("green", "open"),
    ...TaskStatus.literals.map((status) => `${style(Style.ofStatus(status), String(counts[status]))} ${status}`),
    `${running} of ${limit} slots taken`,
    ...(oldestDue === null || oldestDue > now ? [] : [`oldest due ${Ago.of(oldestDue, now)}`])
  ].join("  ")

/** For programs: a name and its value, then a row for each type. */
const rows = ({ counts, limit, oldestDue, paused, running, types }: QueueState): ReadonlyArray<string> =>
  Table.lines([
    ["paused", String(paused)],
    ...TaskStatus.literals.map((status) => [status, String(counts[status])]),
    ["running", String(running)],
    ["limit", String(limit)],
    ["oldest_due", Ago.iso(oldestDue)],
    ...types.map((of) => ["type", ...columns.map(({ cell }) => cell(of).text)])
  ])

export const lines = (state: QueueState, screen: Screen): ReadonlyArray<string> =>
  screen.isTerminal
    ? [summary(state, screen), ...(state.types.length === 0 ? [] : ["", ...screen.table(columns, state.types)])]
    : rows(state)
