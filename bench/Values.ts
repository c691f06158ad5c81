/** What one measurement found: figures by name. */
export type Values = Readonly<Record<string, number>>

export const isValues = (input: unknown): input is Values =>
  typeof input === "object" && input !== null && Object.values(input).every((value) => typeof value === "number")

const ascending = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)

/** The value that so many of a hundred do not exceed. */
export const percentile = (values: ReadonlyArray<number>, percent: number): number => {
  const sorted = ascending(values)
  return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = ascending(values)
  const middle = sorted.length >> 1
  const high = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2
}

/** Two hundred bytes of content that differ from task to task. */
export const content = (n: number): string => `${String(n).padStart(12, "0")} ${filler}`
const filler = "the quick brown fox jumps over the lazy dog ".repeat(5).slice(0, 187)

/** One of a number of concurrency keys. */
export const keyOf = (n: number): string => `key-${n}`
