import { Array, Cause, Context, Formatter, Layer, Logger, References, Tracer } from "effect"
import type { Threshold } from "./Threshold.ts"

/** What a terminal takes as an order, or as a change of direction, and some readers as the end of a line. */
const orders = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu

/** As JSON writes it. */
const escaped = (order: string): string => `\\u${order.charCodeAt(0).toString(16).padStart(4, "0")}`

/** Whoever submits a task, or does its work, has a say in what is logged: it stays text, and within its event. */
const line = (text: string): string =>
  text.replaceAll(orders, (order) => (order === "\n" ? "\\n" : order === "\t" ? order : escaped(order)))
const lines = (text: string): string => text.split("\n").map(line).join("\n  ")

const text = (part: unknown): string =>
  typeof part === "string" ? part : part instanceof Error ? part.message : Formatter.format(part)

/** What an event says, in one text. */
export const saying = (message: unknown): string => Array.ensure(message).map(text).join(": ")

/** The span that an event belongs to; those that go nowhere are left out. */
const place = ({ fiber }: Logger.Options<unknown>) => {
  const span = Context.getOrUndefined(fiber.context, Tracer.ParentSpan)
  return span === undefined || (span._tag === "Span" && fiber.getRef(Tracer.Tracer) === Tracer.nativeTracer)
    ? {}
    : { trace_id: span.traceId, span_id: span.spanId }
}

/** One event, one line; annotations such as `task_id` are fields of it. */
const json = Logger.make((event) => {
  const { cause, date, fiber, logLevel, message } = event
  return Formatter.formatJson({
    time: date.toISOString(),
    level: logLevel.toLowerCase(),
    message: saying(message),
    ...fiber.getRef(References.CurrentLogAnnotations),
    ...place(event),
    ...(cause.reasons.length === 0 ? {} : { cause: Cause.pretty(cause) })
  }).replaceAll(orders, escaped)
})

const pretty = (colors: boolean): Logger.Logger<unknown, void> => {
  const own = Logger.consolePretty({ colors, mode: "tty" })
  return Logger.make((event) => {
    const { cause, message } = event
    const parts = Array.ensure(message).map((part) =>
      typeof part === "string" ? line(part) : lines(part instanceof Error ? (part.stack ?? part.message) : text(part))
    )
    const told = cause.reasons.length === 0 ? [] : [lines(Cause.pretty(cause))]
    own.log({ ...event, message: [...parts.slice(0, 1), ...told, ...parts.slice(1)], cause: Cause.empty })
  })
}

const unshowable = "(it cannot be shown)"

/**
 * Tells what the threshold lets through. What a runner throws may throw again when it is looked at: then the event is
 * told without it.
 */
export const guarded = (logger: Logger.Logger<unknown, void>, { hears }: Threshold): Logger.Logger<unknown, void> =>
  Logger.make((event) => {
    if (!hears(event.logLevel)) return
    try {
      logger.log(event)
    } catch {
      const message = Array.ensure(event.message).map((part) => (typeof part === "string" ? part : unshowable))
      logger.log({ ...event, message, cause: Cause.die(unshowable) })
    }
  })

/** Tells what an event says in one text, as the log on stderr does. */
export const inWords = (logger: Logger.Logger<unknown, void>): Logger.Logger<unknown, void> =>
  Logger.make((event) => logger.log({ ...event, message: saying(event.message) }))

export interface LogOptions {
  readonly threshold: Threshold
  readonly format: "pretty" | "json"
  readonly colors: boolean
}

/** Logs go to stderr: stdout is for what a command answers. */
export const layer = ({ colors, format, threshold }: LogOptions) =>
  Layer.mergeAll(
    Logger.layer([guarded(format === "json" ? Logger.withConsoleError(json) : pretty(colors), threshold)]),
    Layer.succeed(Logger.LogToStderr, true),
    Layer.succeed(References.MinimumLogLevel, threshold.lowest)
  )
