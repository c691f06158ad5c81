import * as IsoTime from "../domain/IsoTime.ts"
import type { Instant } from "../domain/Task.ts"

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000]
] as const

/** A length of time in its largest unit and the one below: `2h 5m`. */
export const span = (millis: number): string => {
  const at = units.findIndex(([, size]) => millis >= size)
  const [name, size] = units[at] ?? ["s", 1000]
  if (at < 0) return "0s"
  const [lesser, lesserSize] = units[at + 1] ?? ["", 0]
  const rest = lesserSize === 0 ? 0 : Math.floor((millis % size) / lesserSize)
  return `${Math.floor(millis / size)}${name}${rest === 0 ? "" : ` ${rest}${lesser}`}`
}

/** A point in time as seen from now: `3m 2s ago`, `in 5s`, `now`. */
export const of = (instant: Instant | null, now: Instant): string => {
  if (instant === null) return "–"
  const distance = instant - now
  if (Math.abs(distance) < 1000) return "now"
  return distance > 0 ? `in ${span(distance)}` : `${span(-distance)} ago`
}

/** The point in time itself. */
export const iso = (instant: Instant | null): string => (instant === null ? "" : IsoTime.format(instant))
