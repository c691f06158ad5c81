import { Duration, Option, Schema } from "effect"

const fromText = Schema.decodeUnknownOption(Schema.DurationFromString)

/** Milliseconds of a length of time; not a number where it is none. */
export const millis = (span: string | number): number =>
  typeof span === "number"
    ? span
    : Option.match(fromText(span), { onNone: () => Number.NaN, onSome: Duration.toMillis })

const longest = Duration.days(3650)

/**
 * A length of time as requests write it: `"90 seconds"`, or a number of milliseconds. Kept as it was given, so that a
 * task shows what was asked for; `millis` reads it.
 */
export const between = (least: Duration.Input, most: Duration.Input = longest) => {
  const [from, to] = [Duration.toMillis(least), Duration.toMillis(most)]
  const expected = `Expected a duration such as "90 seconds", or milliseconds, from ${Duration.format(Duration.millis(from))} to ${Duration.format(Duration.millis(to))}`
  return Schema.Union([Schema.String, Schema.Finite]).check(
    Schema.makeFilter<string | number>((span) => {
      const given = millis(span)
      return given >= from && given <= to ? undefined : expected
    })
  )
}
