/*
 * Times are milliseconds since 1970; the one spelling on the wire is 2026-01-31T09:30:00.000Z. `Date` does the
 * work, once for each second: a queue of a million tasks writes and reads five million times, and most of them
 * share their second with one that was met a moment ago: this one, or the one that tasks wait for.
 */

export const earliest: number = Date.parse("0000-01-01T00:00:00.000Z")
export const latest: number = Date.parse("9999-12-31T23:59:59.999Z")

const millisOf = Array.from({ length: 1000 }, (_, millis) => `${String(millis).padStart(3, "0")}Z`)
const written = Array.from({ length: 8 }, () => ({ second: Number.NaN, text: "" }))
const read = { text: "none yet", start: Number.NaN }
/** A new task has its instant four times. */
const last = { instant: Number.NaN, text: "" }

/** Parts of a millisecond are left out. Beyond the year 275760 it throws a `RangeError`, as `Date` does. */
export const format = (instant: number): string => {
  if (instant === last.instant) return last.text
  last.text = spell(instant)
  last.instant = instant
  return last.text
}

const spell = (instant: number): string => {
  const second = Math.floor(instant / 1000)
  const place = written[second & 7]
  if (place === undefined) return new Date(instant).toISOString()
  if (second !== place.second) {
    place.text = new Date(second * 1000).toISOString().slice(0, -4)
    place.second = second
  }
  return `${place.text}${millisOf[Math.floor(instant - second * 1000)] ?? ""}`
}

/** The time that `format` wrote; NaN when it is none. */
export const parse = (text: string): number => {
  const millis = text.length === 24 && text.charCodeAt(23) === 0x5a ? millisAt(text) : Number.NaN
  if (millis >= 0 && text.startsWith(read.text)) return read.start + millis
  const instant = Date.parse(text)
  if (millis >= 0 && !Number.isNaN(instant)) {
    read.text = text.slice(0, 20)
    read.start = instant - millis
  }
  return instant
}

/** NaN where they are no three digits. */
const millisAt = (text: string): number => digitAt(text, 20) * 100 + digitAt(text, 21) * 10 + digitAt(text, 22)

const digitAt = (text: string, at: number): number => {
  const digit = text.charCodeAt(at) - 0x30
  return digit >= 0 && digit <= 9 ? digit : Number.NaN
}
