import { Array, Cause, Formatter, Layer, Logger, type LogLevel, References } from "effect"

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
  })
)

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
    Logger.layer([
      guarded(format === "json" ? Logger.withConsoleError(json) : Logger.consolePretty({ colors, mode: "tty" }))
    ]),
    Layer.succeed(Logger.LogToStderr, true),
    Layer.succeed(References.MinimumLogLevel, level)
  )
