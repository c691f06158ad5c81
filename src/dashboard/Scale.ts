/** Round steps from zero to a number that is no less than the highest value. */
export const ticks = (highest: number, isCount = false): ReadonlyArray<number> => {
  if (!(highest > 1e-9)) return [0, 1]
  const rough = isCount ? Math.max(1, highest / 4) : highest / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? 10 * power
  const count = Math.ceil(highest / step - 1e-9)
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)))
}

/** Ten minutes past, twenty past, and so on. */
export const isLabelled = (at: number): boolean => new Date(at).getMinutes() % 10 === 0
