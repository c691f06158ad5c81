import { Option, Schema } from "effect"
import * as IsoTime from "./IsoTime.ts"
import * as Span from "./Span.ts"
import { Instant, TaskId, type TaskRequest, TaskTemplate, TaskType } from "./Task.ts"
import * as Timing from "./Timing.ts"

export const ScheduleName = TaskType

/** What becomes of slots that have passed while nobody could make their tasks. */
const Missed = Schema.Literals(["skip", "once"]).annotate({
  description: "Slots that passed while Venom was not running, or not able: `skip` none is made up for, `once` the last"
})

const requested = {
  cron: Schema.optionalKey(
    Timing.CronExpression.annotate({ description: "minute hour day month weekday; with six fields, seconds first" })
  ),
  timeZone: Schema.optionalKey(
    Timing.TimeZone.annotate({ description: "Where `cron` is read, such as Europe/Berlin; UTC without" })
  ),
  every: Schema.optionalKey(
    Span.between("1 second").annotate({ description: "In place of cron: so much time from slot to slot" })
  ),
  task: TaskTemplate
}

const timed = Schema.makeFilter<Timing.Wish>((wish) =>
  Option.match(Timing.objection(wish), { onNone: () => undefined, onSome: (objection) => objection })
)

/** What a client asks for. */
export const ScheduleRequest = Schema.Struct({
  ...requested,
  missed: Schema.optionalKey(Missed),
  paused: Schema.optionalKey(Schema.Boolean.annotate({ description: "No task is made, and no slot counts as missed" }))
})
  .check(timed)
  .pipe(Schema.encodeKeys({ timeZone: "time_zone" }))
  .annotate({ identifier: "ScheduleRequest" })
  .pipe(
    Schema.annotateEncoded({
      identifier: "ScheduleRequest",
      description: "When tasks are made, either cron or every, and which",
      examples: [{ cron: "0 3 * * *", time_zone: "Europe/Berlin", task: { content: "nightly report" } }]
    })
  )
export type ScheduleRequest = typeof ScheduleRequest.Type

/** The newest run: its slot, and the task that was made for it. */
const Run = Schema.Struct({ slot: Instant, taskId: TaskId })
  .pipe(Schema.encodeKeys({ taskId: "task_id" }))
  .annotate({ identifier: "ScheduleRun" })
  .pipe(Schema.annotateEncoded({ identifier: "ScheduleRun" }))

/** Makes a task at each of its slots. A slot is a point in time; no slot has ever two runs. */
export const Schedule = Schema.Struct({
  name: ScheduleName,
  ...requested,
  missed: Missed,
  paused: Schema.Boolean,
  createdAt: Instant,
  updatedAt: Instant,
  since: Instant.pipe(
    Schema.annotateEncoded({ description: "Since when it has these times; `every` counts from here" })
  ),
  nextRun: Schema.NullOr(Instant).annotate({ description: "The next slot; null while paused" }),
  lastRun: Schema.NullOr(Run),
  lastSlot: Schema.NullOr(Instant).annotate({
    description: "The last slot that is done with, also one that was skipped"
  })
})
  .pipe(
    Schema.encodeKeys({
      timeZone: "time_zone",
      createdAt: "created_at",
      updatedAt: "updated_at",
      nextRun: "next_run",
      lastRun: "last_run",
      lastSlot: "last_slot"
    })
  )
  .annotate({ identifier: "Schedule" })
  .pipe(Schema.annotateEncoded({ identifier: "Schedule", description: "A schedule as it is at this moment" }))
export type Schedule = typeof Schedule.Type

/** No schedule has this name. */
export class ScheduleNotFound extends Schema.TaggedError<ScheduleNotFound>()("ScheduleNotFound", {
  name: Schema.String
}) {
  override get message() {
    return `No schedule has the name ${this.name}`
  }
}

/**
 * A schedule, new or in the place of another of its name: what has run stays, and while the times are the same, so do
 * the slots.
 */
export const make = (name: string, request: ScheduleRequest, before: Schedule | undefined, now: Instant): Schedule => {
  const { missed = "skip", paused = false, ...asked } = request
  const goesOn = before !== undefined && Timing.same(before, request)
  const schedule: Schedule = {
    name,
    ...asked,
    missed,
    paused,
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
    since: goesOn ? before.since : now,
    nextRun: null,
    lastRun: before?.lastRun ?? null,
    lastSlot: before?.lastSlot ?? null
  }
  if (paused) return schedule
  return goesOn && before.nextRun !== null
    ? { ...schedule, nextRun: before.nextRun }
    : { ...schedule, nextRun: slotAfter(schedule, now) }
}

/** The next slot: after an instant, and after whatever is done with. */
const slotAfter = (schedule: Schedule, instant: Instant): Instant | null =>
  Timing.next(schedule, Math.max(instant, schedule.lastSlot ?? IsoTime.earliest)) ?? null

/** What is to be done about a slot that has come, and the schedule as it is then. */
export type Step =
  | {
      readonly _tag: "Run"
      readonly slot: Instant
      readonly task: TaskRequest
      readonly done: (taskId: TaskId) => Schedule
    }
  | { readonly _tag: "Skip"; readonly first: Instant; readonly last: Instant; readonly done: Schedule }

/**
 * The next step of a schedule at `now`; none before its next slot. Slots before `attentiveSince` have passed unseen:
 * they are missed.
 */
export const step = (schedule: Schedule, now: Instant, attentiveSince: Instant): Step | undefined => {
  const first = schedule.nextRun
  if (first === null || first > now) return undefined
  if (first >= attentiveSince) return run(schedule, first)
  const last = Timing.lastBefore(schedule, first, attentiveSince)
  return schedule.missed === "once" ? run(schedule, last) : { _tag: "Skip", first, last, done: passed(schedule, last) }
}

const run = (schedule: Schedule, slot: Instant): Step => ({
  _tag: "Run",
  slot,
  task: { ...schedule.task, runAt: slot },
  done: (taskId) => ({ ...passed(schedule, slot), lastRun: { slot, taskId } })
})

const passed = (schedule: Schedule, slot: Instant): Schedule => {
  const done = { ...schedule, lastSlot: slot }
  return { ...done, nextRun: slotAfter(done, slot) }
}
