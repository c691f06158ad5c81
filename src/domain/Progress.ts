import { limits, type Progress } from "./Task.ts"
import * as TaskLog from "./TaskLog.ts"

/** What a runner says of how far it has come, within bounds: a percentage that is none is unknown. */
export const make = (percent: number | null, message: string | null): Progress => ({
  percent: percent === null || Number.isNaN(percent) ? null : Math.min(Math.max(percent, 0), 100),
  message: message === null ? null : TaskLog.cut(message, limits.progressChars)
})

export const isSame = (a: Progress, b: Progress): boolean => a.percent === b.percent && a.message === b.message
