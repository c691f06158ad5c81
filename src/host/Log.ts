import { Array, Cause, Formatter, Layer, Logger, type LogLevel, References } from "effect"

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

/** One event, one line; annotations such as `task_id` are fields of it. */
const json = Logger.make(({ cause, date, fiber, logLevel, message }) =>
  Formatter.formatJson({
    time: date.toISOString(),
    level: logLevel.toLowerCase(),
    message: Array.ensure(message).map(text).join(": "),
    ...fiber.getRef(References.CurrentLogAnnotations),
    ...(cause.reasons.length === 0 ? {} : { cause: Cause.pretty(cause) })
  }).replaceAll(orders, escaped)
)

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

/** What a runner throws may throw again when it is looked at: the event is told without it. */
const guarded = (logger: Logger.Logger<unknown, void>): Logger.Logger<unknown, void> =>
  Logger.make((event) => {
    try {
      logger.log(event)
    } catch {
      const message = Array.ensure(event.message).map((part) => (typeof part === "string" ? part : unshowable))
      logger.log({ ...event, message, cause: Cause.die(unshowable) })
    }
  })

export interface LogOptions {
  readonly level: LogLevel.LogLevel
  readonly format: "pretty" | "json"
  readonly colors: boolean
}

/** Logs go to stderr: stdout is for what a command answers. */
export const layer = ({ colors, format, level }: LogOptions) =>
  Layer.mergeAll(
    Logger.layer([guarded(format === "json" ? Logger.withConsoleError(json) : pretty(colors))]),
    Layer.succeed(Logger.LogToStderr, true),
    Layer.succeed(References.MinimumLogLevel, level)
  )
