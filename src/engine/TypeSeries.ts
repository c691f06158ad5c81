import { Metric } from "effect"

/** Types with series of their own; tasks of all others count as `other`. */
export const mostTypes = 100
export const otherType = "other"

/** A counter for each outcome and type: the first hundred types that come, each under its name. */
export const counter = (
  name: string,
  description: string
): ((type: string, outcome: string) => Metric.Counter<number>) => {
  const types = new Set<string>()
  const series = new Map<string, Metric.Counter<number>>()
  return (named, outcome) => {
    if (types.size < mostTypes) types.add(named)
    const type = types.has(named) ? named : otherType
    const key = `${outcome} ${type}`
    const known = series.get(key)
    if (known !== undefined) return known
    const made = Metric.counter(name, { description, incremental: true, attributes: { outcome, type } })
    series.set(key, made)
    return made
  }
}
