import { type Instant, limits, type VenomTask } from "./Task.ts"

/** When the log is full this many of the newest lines stay, so that trimming is rare. */
const keptWhenFull = limits.logLines - 50

/** One line: its time, then the text on one line, cut to length. */
export const line = (now: Instant, text: string): string => {
  const flat = `${new Date(now).toISOString()} ${text.replaceAll(/[\r\n\u2028\u2029]+/g, " ⏎ ")}`
  return flat.length <= limits.logLineChars ? flat : `${flat.slice(0, limits.logLineChars - 1)}…`
}

type Log = Pick<VenomTask, "logs" | "logsDropped">

/** The log with lines added; the oldest go first and the first line then says how many. */
export const append = (log: Log, lines: ReadonlyArray<string>, now: Instant): Log => {
  const logs = [...log.logs, ...lines]
  if (logs.length <= limits.logLines) return { logs, logsDropped: log.logsDropped }
  const lost = logs.length - keptWhenFull
  const logsDropped = log.logsDropped + lost - (log.logsDropped > 0 ? 1 : 0)
  return {
    logs: [line(now, `${logsDropped} earlier lines were dropped`), ...logs.slice(lost)],
    logsDropped
  }
}
