import type { RowResult } from "./Result.ts"
import type { Report } from "./Save.ts"
import * as Table from "./Table.ts"

/** The figures as a part of a document. */
export const section = (report: Report): string =>
  [
    "Measured by `npm run bench`: medians of interleaved rounds on one machine. Ratios within a table count; absolute figures are those of this machine.",
    Table.head(report.machine).split("\n").join("  \n"),
    ...report.rows.map(row),
    "### Settings",
    [...settings(report)].map(([name, text]) => `- **${name}**: ${text}`).join("\n")
  ].join("\n\n") + "\n"

const row = (result: RowResult): string => {
  const columns = Object.entries(result.columns)
  return [
    `### ${result.title}`,
    `${result.how}. (\`${result.row}\`, ${result.date.slice(0, 10)}, rounds: ${result.rounds}, load before: ${result.load.toFixed(1)})`,
    [
      `| | durable at the answer | ${columns.map(([name, { unit }]) => (columns.length === 1 ? unit : `${name}, ${unit}`)).join(" | ")} |`,
      `|---|---|${columns.map(() => "---:|").join("")}`,
      ...result.contenders.map(
        ({ durable, medians, name, problem }) =>
          `| ${name} | ${durable ? "yes" : "no"} | ${problem ?? columns.map(([column]) => Table.figure(medians[column])).join(" | ")} |`
      )
    ].join("\n"),
    result.reach.map((reach) => `- ${Table.said(reach)}`).join("\n")
  ]
    .filter((part) => part !== "")
    .join("\n\n")
}

const settings = ({ rows }: Report) =>
  new Map(rows.flatMap(({ contenders }) => contenders.map(({ name, settings }) => [name, settings] as const)))
