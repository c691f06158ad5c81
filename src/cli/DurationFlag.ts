import { Duration } from "effect"
import { Flag } from "effect/cli"
import * as Span from "../domain/Span.ts"

/** A flag that takes a length of time. */
export const of = (name: string, description: string): Flag.Flag<Duration.Duration> =>
  Flag.String(name).pipe(
    Flag.withMetavar("<duration>"),
    Flag.withDescription(description),
    Flag.filter(
      (text) => Number.isFinite(Span.millis(text)) && Span.millis(text) >= 0,
      () => 'a duration such as "5 minutes"'
    ),
    Flag.map((text) => Duration.millis(Span.millis(text)))
  )
