/** What is measured: anything, whole things, or seconds. */
export type Measure = "any" | "count" | "time"

const round = [1, 2, 5, 10]
/** Seconds, minutes and hours, each in parts that a clock has. */
const ofTime: ReadonlyArray<number> = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400
]

const stepOf = (rough: number, measure: Measure): number => {
  const wanted = measure === "count" ? Math.max(1, rough) : rough
  const part = measure === "time" && wanted > 1 ? ofTime.find((one) => one >= wanted) : undefined
  if (part !== undefined) return part
  const power = 10 ** Math.floor(Math.log10(wanted))
  return (round.find((factor) => factor * power >= wanted) ?? 10) * power
}

/** Round steps from zero to a number that is no less than the highest value. */
export const ticks = (highest: number, measure: Measure = "any"): ReadonlyArray<number> => {
  if (!(highest > 1e-9)) return [0, 1]
  const step = stepOf(highest / 4, measure)
  const count = Math.ceil(highest / step - 1e-9)
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)))
}

/** Ten minutes past, twenty past, and so on; on a narrow chart every twenty. */
export const isLabelled = (at: number, isNarrow: boolean): boolean =>
  new Date(at).getMinutes() % (isNarrow ? 20 : 10) === 0
