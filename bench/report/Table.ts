import type { Machine } from "./Machine.ts"
import type { ReachResult, RowResult } from "./Result.ts"

/** Four figures that matter, in the reader's own grouping. */
export const figure = (value: number | undefined): string => {
  if (value === undefined || Number.isNaN(value)) return "–"
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

export const head = ({ load, memoryGiB, processors, system, versions }: Machine): string =>
  [
    `${processors}, ${memoryGiB} GiB, ${system}, load ${load.toFixed(1)}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")
  ].join("\n")

/** For the terminal: the medians, and under them what was to be reached. */
export const row = (result: RowResult): string => {
  const columns = Object.entries(result.columns)
  const titles = ["", ...columns.map(([name, { unit }]) => (columns.length === 1 ? unit : `${name} ${unit}`))]
  const lines = result.contenders.map(({ durable, medians, name }) => [
    `${name}${durable ? "" : " (not durable)"}`,
    ...columns.map(([column]) => figure(medians[column]))
  ])
  const problems = result.contenders.flatMap(({ name, problem }) =>
    problem === undefined ? [] : [`  ${name}: ${problem}`]
  )
  return [
    `${result.row}: ${result.title}`,
    ...aligned([titles, ...lines]),
    ...problems,
    ...result.reach.map((reach) => `  ${said(reach)}`)
  ].join("\n")
}

/** One thing to be reached, in words. */
export const said = ({ column, isMet, rival, says, venom }: ReachResult): string =>
  `${isMet ? "✓" : "✗"} ${column} ${says}: ${
    rival === undefined
      ? figure(venom)
      : `${figure(rival.ratio)} × ${rival.name} (${figure(venom)} : ${figure(rival.figure)})`
  }`

const aligned = (lines: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((line) => [...(line[at] ?? "")].length)))
  return lines.map((line) =>
    line
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  ")
      .trimEnd()
  )
}
