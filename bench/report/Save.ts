import { existsSync } from "node:fs"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Machine } from "./Machine.ts"
import { section } from "./Markdown.ts"
import type { RowResult } from "./Result.ts"
import { rows as known } from "../rows/all.ts"

export interface Report {
  readonly machine: Machine
  readonly rows: ReadonlyArray<RowResult>
}

const results = join(import.meta.dirname, "../results")
const document = join(import.meta.dirname, "../../docs/performance.md")
const begin = "<!-- bench: begin (written by npm run bench) -->"
const end = "<!-- bench: end -->"

/** This run, as far as it is, under its date; and the latest figures of every row, also in the document. Says where. */
export const save = async (report: Report, begun: Date): Promise<string> => {
  await mkdir(results, { recursive: true })
  const own = `${results}/${begun.toISOString().replaceAll(":", "-").slice(0, 19)}.json`
  await writeFile(own, json(report))
  const latest = `${results}/latest.json`
  const before: Report | undefined = existsSync(latest) ? JSON.parse(await readFile(latest, "utf8")) : undefined
  const merged = { ...report, rows: merge(before?.rows ?? [], report.rows) }
  await writeFile(latest, json(merged))
  const text = existsSync(document) ? await readFile(document, "utf8") : `# Performance\n\n${begin}\n${end}\n`
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < 0) return `Written: ${own}, ${latest}; ${document} has no place for it`
  await writeFile(document, `${text.slice(0, from + begin.length)}\n\n${section(merged)}\n${text.slice(to)}`)
  return `Written: ${own}, ${latest}, ${document}`
}

const json = (report: Report) => `${JSON.stringify(report, null, 2)}\n`

/** Ratios hold within a row: each row keeps the run it is of. */
const merge = (before: ReadonlyArray<RowResult>, now: ReadonlyArray<RowResult>): ReadonlyArray<RowResult> =>
  known.flatMap(({ name }) => [...now, ...before].find(({ row }) => row === name) ?? [])
