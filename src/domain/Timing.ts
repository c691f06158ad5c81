import { Cron, DateTime, Duration, Option, Result, Schema } from "effect"
import * as IsoTime from "./IsoTime.ts"
import * as Span from "./Span.ts"
import type { Instant } from "./Task.ts"

/** When slots are: points of a calendar in a time zone, or so much time from one to the next. */
export interface Wish {
  readonly cron?: string
  readonly timeZone?: string
  readonly every?: string | number
}

/** A wish that begins at some time: `every` counts from there. */
export interface Timing extends Wish {
  readonly since: Instant
}

const cronFields = ["second", "minute", "hour", "day", "month", "weekday"] as const

const fieldsOf = (expression: string): ReadonlyArray<string> => expression.trim().split(/\s+/)

/** What is wrong with an expression, by its field. */
const cronObjection = (expression: string): string | undefined => {
  const fields = fieldsOf(expression)
  if (fields.length !== 5 && fields.length !== 6) {
    return `Expected 5 fields (minute hour day month weekday), or 6 with the second first; there are ${expression.trim() === "" ? 0 : fields.length}`
  }
  const names = cronFields.slice(-fields.length)
  for (const [at, field] of fields.entries()) {
    const alone = fields.map((_, other) => (other === at ? field : "*")).join(" ")
    const parsed = Cron.parse(alone)
    if (Result.isFailure(parsed)) return `The ${names[at]} ${JSON.stringify(field)}: ${parsed.failure.message}`
  }
  return undefined
}

export const CronExpression = Schema.String.check(Schema.isMaxLength(1000), Schema.makeFilter<string>(cronObjection))

export const TimeZone = Schema.String.check(
  Schema.makeFilter<string>((name) =>
    Option.isSome(DateTime.zoneMakeNamed(name))
      ? undefined
      : "Expected the name of a time zone, such as Europe/Berlin or UTC"
  )
)

/** Why a wish can have no slots, with the field that stands against it. */
export const objection = (
  wish: Wish
): Option.Option<{ readonly path: ReadonlyArray<string>; readonly issue: string }> => {
  const { cron, every, timeZone } = wish
  const against = (field: string, issue: string) => Option.some({ path: [field], issue })
  if (cron === undefined && every === undefined) return against("cron", "Expected cron or every")
  if (every !== undefined) {
    if (cron !== undefined) return against("every", "Expected cron or every, not both")
    if (timeZone !== undefined) return against("time_zone", "Expected only with cron")
    return Option.none()
  }
  const read = calendar(wish)
  return read !== undefined && !mayCome(read) ? against("cron", "There is no such day") : Option.none()
}

const mostDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Whether some month has such a day: to look for one that never comes takes long. */
const mayCome = ({ days, months, weekdays }: Cron.Cron): boolean =>
  days.size === 0 ||
  weekdays.size > 0 ||
  months.size === 0 ||
  Array.from(months).some((month) => Math.min(...days) <= (mostDays[month - 1] ?? 0))

/**
 * Where clocks go back, an hour comes twice: an expression for every hour (`*`) has slots in both, any other in the
 * first. Where they go forward, what stands in the hour left out comes as much later.
 */
const calendar = ({ cron, timeZone = "UTC" }: Wish): Cron.Cron | undefined => {
  if (cron === undefined) return undefined
  const hour = fieldsOf(cron).at(-4)
  return Option.getOrUndefined(
    Result.getSuccess(Cron.parse(cron, timeZone, { onDstOverlap: hour === "*" ? "both" : "earlier" }))
  )
}

/** Whether two wishes have the same slots. */
export const same = (a: Wish, b: Wish): boolean =>
  a.cron === b.cron &&
  (a.timeZone ?? "UTC") === (b.timeZone ?? "UTC") &&
  Span.millis(a.every ?? 0) === Span.millis(b.every ?? 0)

/** The first slot after an instant; none where none comes. */
export const next = (timing: Timing, after: Instant): Instant | undefined => {
  const found = timing.every === undefined ? nextInCalendar(timing, after) : nextInterval(timing, timing.every, after)
  return found !== undefined && found <= IsoTime.latest ? found : undefined
}

const lengthOf = (every: string | number): number => Math.round(Span.millis(every))

const nextInterval = ({ since }: Timing, every: string | number, after: Instant): Instant => {
  const length = lengthOf(every)
  return since + Math.max(1, Math.floor((after - since) / length) + 1) * length
}

const nextInCalendar = (timing: Timing, after: Instant): Instant | undefined => found(timing, after, Cron.next)

const found = (timing: Timing, from: Instant, look: typeof Cron.next): Instant | undefined => {
  const read = calendar(timing)
  if (read === undefined) return undefined
  // it throws where there is none for a very long time
  return Option.getOrUndefined(Result.getSuccess(Result.try(() => look(read, from).getTime())))
}

/** Longer than any clock is set forward or back. */
const clockChange = Duration.toMillis("3 hours")

/** A slot not long before `end`. Where clocks are changed the library finds other times backwards than forwards. */
const lastInCalendar = (timing: Timing, end: Instant): Instant | undefined => {
  const guess = found(timing, end, Cron.prev)
  if (guess === undefined || next(timing, guess - 1) === guess) return guess
  const slot = next(timing, guess - clockChange)
  return slot !== undefined && slot < end ? slot : undefined
}

/** The last slot before `end`; it is `first` or comes after it. */
export const lastBefore = (timing: Timing, first: Instant, end: Instant): Instant => {
  const guess =
    timing.every === undefined ? lastInCalendar(timing, end) : next(timing, end - 1 - lengthOf(timing.every))
  let last = guess === undefined ? first : Math.max(guess, first)
  for (let later = next(timing, last); later !== undefined && later < end; later = next(timing, last)) last = later
  return last
}
