import type * as Wire from "./Wire.ts"

/** A schedule as it is written. */
export interface ScheduleDraft {
  readonly name: string
  readonly kind: "cron" | "every"
  readonly times: string
  readonly timeZone: string
  readonly missed: "skip" | "once"
  readonly type: string
  readonly content: string
}

export const scheduleDraftOf = (schedule: Wire.Schedule | undefined): ScheduleDraft => ({
  name: schedule?.name ?? "",
  kind: schedule?.every === undefined ? "cron" : "every",
  times: `${schedule?.cron ?? schedule?.every ?? ""}`,
  timeZone: schedule?.time_zone ?? "",
  missed: schedule?.missed ?? "skip",
  type: schedule?.task.type ?? "",
  content: schedule?.task.content ?? ""
})

/** The request that makes a schedule what it is. */
export const requestOf = ({ cron, every, missed, paused, task, time_zone }: Wire.Schedule): Wire.ScheduleRequest => ({
  ...(cron === undefined ? {} : { cron }),
  ...(time_zone === undefined ? {} : { time_zone }),
  ...(every === undefined ? {} : { every }),
  task,
  missed,
  paused
})

/** What the form does not show stays as it was. */
export const changed = (draft: ScheduleDraft, before: Wire.Schedule | undefined): Wire.ScheduleRequest => {
  const { content, kind, missed, timeZone, times, type } = draft
  const { type: _, ...task } = before?.task ?? { content: "" }
  return {
    ...(kind === "cron" ? { cron: times } : { every: /^\d+$/.test(times) ? Number(times) : times }),
    ...(kind === "cron" && timeZone !== "" ? { time_zone: timeZone } : {}),
    task: { ...task, ...(type === "" ? {} : { type }), content },
    missed,
    paused: before?.paused ?? false
  }
}
