import { Duration, Option } from "effect"
import type { Instant } from "../../domain/Task.ts"

/** A longer wish is not granted: whoever has recovered would not be asked for days. */
const longest = Duration.days(1)

/** The three forms of a date that HTTP knows (RFC 9110, section 5.6.7), in which alone a comma or the year stands last. */
const looksLikeDate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/

/** What a `Retry-After` header wishes for: a number of seconds, or a date. */
export const read = (header: string | undefined, now: Instant): Option.Option<Duration.Duration> => {
  const text = header?.trim() ?? ""
  const millis = /^\d{1,10}$/.test(text)
    ? Number(text) * 1000
    : looksLikeDate.test(text)
      ? Date.parse(text.endsWith("GMT") ? text : `${text} GMT`) - now
      : Number.NaN
  return Number.isNaN(millis) ? Option.none() : Option.some(Duration.min(Duration.millis(Math.max(0, millis)), longest))
}
