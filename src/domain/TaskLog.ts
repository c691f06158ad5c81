import * as IsoTime from "./IsoTime.ts"
import { type Instant, limits, type VenomTask } from "./Task.ts"

/** When the log is full this many of the newest lines stay, so that trimming is rare. */
const keptWhenFull = limits.logLines - 50

const lineBreaks = /[\n\v\f\r\u0085\u2028\u2029]+/g

/** One line: its time, then the text on one line, cut to length. */
export const line = (now: Instant, text: string): string =>
  cut(`${IsoTime.format(now)} ${text.replaceAll(lineBreaks, " ⏎ ")}`, limits.logLineChars)

/** At most `length` code units of a text; never half a character. */
export const cut = (text: string, length: number): string => {
  if (text.length <= length) return text
  const end = length - 1
  const splits = isHighSurrogate(text.charCodeAt(end - 1))
  return `${text.slice(0, splits ? end - 1 : end)}…`
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff

export type TaskLog = Pick<VenomTask, "logs" | "logsDropped">

/** The log with lines added, `lost` of them already; the oldest go first and the first line then says how many. */
export const append = (log: TaskLog, lines: ReadonlyArray<string>, now: Instant, lost = 0): TaskLog => {
  if (lost === 0 && log.logs.length + lines.length <= limits.logLines) {
    // a spread leaves room for what is never added, in each of a million tasks
    return { logs: log.logs.concat(lines), logsDropped: log.logsDropped }
  }
  const said = [...(log.logsDropped > 0 ? log.logs.slice(1) : log.logs), ...lines]
  const kept = said.slice(-keptWhenFull)
  const logsDropped = log.logsDropped + lost + said.length - kept.length
  return { logs: [line(now, `${logsDropped} earlier lines were dropped`), ...kept], logsDropped }
}

/** Lines that were ever added; when some were dropped, the first that is there tells of them. */
const said = ({ logs, logsDropped }: TaskLog): number => logs.length + logsDropped - (logsDropped > 0 ? 1 : 0)

/** Those that a log has more than it had, as far as it still has them. */
export const added = (before: TaskLog | undefined, after: TaskLog | undefined): ReadonlyArray<string> => {
  if (after === undefined) return []
  if (before === undefined) return after.logs
  const more = said(after) - said(before)
  const kept = after.logsDropped > 0 ? after.logs.length - 1 : after.logs.length
  return more <= 0 ? [] : after.logs.slice(-Math.min(more, kept, limits.logLines))
}
