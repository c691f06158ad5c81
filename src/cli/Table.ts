import * as SafeText from "./SafeText.ts"
import type { Look, Style } from "./Style.ts"

/** One cell: text from anywhere, and its look. */
export interface Cell {
  readonly text: string
  readonly look?: Look
}

export interface Column<A> {
  readonly title: string
  readonly cell: (row: A) => Cell
  /** Columns it always has room for; the last column has what is left of the line. */
  readonly least?: number
}

export interface Page {
  /** Columns of the terminal; nothing is cut without. */
  readonly columns: number | undefined
  readonly style: Style
}

const gap = 2
/** What the last column has in any case. */
const leastLast = 10

/**
 * Aligned columns that fit the line, and a line of titles where wanted. The last column is cut, and so that it has some
 * room, what stands before it.
 */
export const aligned = <A>(
  columns: ReadonlyArray<Column<A>>,
  rows: ReadonlyArray<A>,
  { columns: lineWidth, style }: Page,
  titled = true
): ReadonlyArray<string> => {
  const cells = rows.map((row) =>
    columns.map(({ cell }) => {
      const { look, text } = cell(row)
      return { look, text: SafeText.line(text) }
    })
  )
  const titles = columns.map(({ title }) => ({ look: "bold" as const, text: title }))
  const lines = titled ? [titles, ...cells] : cells
  const widths = columns.map(({ least = 0 }, at) =>
    Math.max(least, ...lines.map((line) => SafeText.width(line[at]?.text ?? "")))
  )
  const room = fitted(widths, lineWidth)
  return lines.map((line) =>
    line
      .map(({ look, text }, at) => {
        const most = room[at] ?? 0
        const shown = SafeText.cut(text, most)
        const filling = at === line.length - 1 ? "" : " ".repeat(Math.max(0, most - SafeText.width(shown) + gap))
        return style(look, shown) + filling
      })
      .join("")
      .trimEnd()
  )
}

/** The widths that columns get: as wide as their text, or the widest of them less until the line holds them. */
export const fitted = (widths: ReadonlyArray<number>, lineWidth: number | undefined): ReadonlyArray<number> => {
  if (lineWidth === undefined) return widths
  const given = [...widths]
  const last = given.length - 1
  const total = () => given.reduce((sum, one) => sum + one, gap * last)
  given[last] = Math.max(Math.min(given[last] ?? 0, leastLast), (given[last] ?? 0) - Math.max(0, total() - lineWidth))
  while (total() > lineWidth) {
    const most = Math.max(...given)
    if (most <= 1) break
    given[given.indexOf(most)] = most - 1
  }
  return given
}

/** For programs: values between tabs, a line each, no titles, nothing cut. */
export const separated = <A>(columns: ReadonlyArray<Column<A>>, rows: ReadonlyArray<A>): ReadonlyArray<string> =>
  lines(rows.map((row) => columns.map(({ cell }) => cell(row).text)))

/** Values between tabs, a line each, control characters in them shown. */
export const lines = (values: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> =>
  values.map((row) => row.map(SafeText.line).join("\t"))
