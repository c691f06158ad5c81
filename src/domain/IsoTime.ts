/*
 * The one spelling of a time on the wire, 2026-01-31T09:30:00.000Z, by hand: `Date` takes ten times as long
 * to write one, and a queue of a million tasks writes five million of them. What is unusual is left to `Date`.
 * The calendar is Howard Hinnant's days_from_civil and civil_from_days.
 */

const dayMillis = 86_400_000
/** The first and the last millisecond with four digits for the year. */
export const earliest = Date.parse("0000-01-01T00:00:00.000Z")
export const latest = Date.parse("9999-12-31T23:59:59.999Z")
const twoDigits = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, "0"))

/** Throws a `RangeError` where `Date` does: beyond the year 275760. */
export const format = (instant: number): string => {
  if (!(instant >= earliest && instant <= latest)) return new Date(instant).toISOString()
  const days = Math.floor(instant / dayMillis)
  const millis = instant - days * dayMillis
  const z = days + 719_468
  const era = Math.floor(z / 146_097)
  const dayOfEra = z - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const ms = millis % 1000
  return `${pad(Math.floor(year / 100))}${pad(year % 100)}-${pad(month)}-${pad(day)}T${pad(
    Math.floor(millis / 3_600_000)
  )}:${pad(Math.floor(millis / 60_000) % 60)}:${pad(Math.floor(millis / 1000) % 60)}.${ms < 100 ? "0" : ""}${
    ms < 10 ? `0${ms}` : ms
  }Z`
}

/** The time that `format` wrote; NaN when it is none. */
export const parse = (text: string): number => {
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 2)
  const day = digits(text, 8, 2)
  const hour = digits(text, 11, 2)
  const minute = digits(text, 14, 2)
  const second = digits(text, 17, 2)
  const ms = digits(text, 20, 3)
  const usual =
    text.length === 24 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= 28 &&
    hour < 24 &&
    minute < 60 &&
    second < 60 &&
    year >= 0 &&
    ms >= 0 &&
    hour >= 0 &&
    minute >= 0 &&
    second >= 0 &&
    text[4] === "-" &&
    text[7] === "-" &&
    text[10] === "T" &&
    text[13] === ":" &&
    text[16] === ":" &&
    text[19] === "." &&
    text[23] === "Z"
  if (!usual) return Date.parse(text)
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  const days = era * 146_097 + dayOfEra - 719_468
  return days * dayMillis + hour * 3_600_000 + minute * 60_000 + second * 1000 + ms
}

const pad = (n: number): string => twoDigits[n] ?? String(n)

/** The number that `count` digits spell; NaN when one of them is none. */
const digits = (text: string, at: number, count: number): number => {
  let n = 0
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - 48
    if (!(digit >= 0 && digit <= 9)) return NaN
    n = n * 10 + digit
  }
  return n
}
