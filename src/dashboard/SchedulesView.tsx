import { useState } from "preact/hooks"
import { useMay } from "./Access.ts"
import { cache, useAnswer } from "./Answer.ts"
import * as Api from "./Api.ts"
import { Confirm } from "./Confirm.tsx"
import * as Format from "./Format.ts"
import * as Route from "./Route.ts"
import { requestOf } from "./ScheduleDraft.ts"
import { ScheduleForm } from "./ScheduleForm.tsx"
import { Ago } from "./Time.tsx"
import type * as Wire from "./Wire.ts"

const kept = cache<ReadonlyArray<Wire.Schedule>>()

const timesOf = ({ cron, every, time_zone }: Wire.Schedule): string => {
  if (cron !== undefined) return `${cron} ${time_zone ?? "UTC"}`
  return `every ${typeof every === "number" ? Format.span(every) : every}`
}

type Open =
  | { readonly _tag: "Form"; readonly schedule: Wire.Schedule | undefined }
  | { readonly _tag: "Delete"; readonly name: string }
  | undefined

/** Tasks made again and again. */
export const SchedulesView = () => {
  const may = useMay()
  const schedules = useAnswer(kept, "schedules", Api.schedules, { every: 5000 })
  const [open, setOpen] = useState<Open>(undefined)
  const [trouble, setTrouble] = useState("")
  const close = () => {
    setOpen(undefined)
    schedules.reload()
  }
  const turn = (schedule: Wire.Schedule) => {
    setTrouble("")
    Api.putSchedule(schedule.name, { ...requestOf(schedule), paused: !schedule.paused }).then(
      schedules.reload,
      (error: unknown) => setTrouble(Api.reasonOf(error))
    )
  }
  const error = schedules.error?.message ?? trouble
  return (
    <section aria-labelledby="schedules">
      <div class="view-head">
        <h1 id="schedules">Schedules</h1>
        <p class="note">Tasks made again and again, by a calendar or an interval.</p>
        {may.admin ? (
          <button type="button" class="primary" onClick={() => setOpen({ _tag: "Form", schedule: undefined })}>
            New schedule
          </button>
        ) : null}
      </div>
      {error === "" ? null : (
        <p class="trouble" role="alert">
          {error}
        </p>
      )}
      <ul>
        {schedules.value?.map((schedule) => (
          <li class="panel schedule" key={schedule.name}>
            <div>
              <h2>
                {schedule.name} {schedule.paused ? <span class="mark">paused</span> : null}
              </h2>
              <p>
                <code>{timesOf(schedule)}</code>
              </p>
              <p class="note">
                {schedule.next_run === null ? (
                  "no next run"
                ) : (
                  <>
                    next <Ago at={schedule.next_run} />
                  </>
                )}
                {schedule.last_run === null ? (
                  " · has not run yet"
                ) : (
                  <>
                    {" · last "}
                    <a href={Route.ofTask(schedule.last_run.task_id)}>
                      <Ago at={schedule.last_run.slot} />
                    </a>
                  </>
                )}
                {` · type ${schedule.task.type ?? "default"} · missed: ${schedule.missed}`}
              </p>
              <p class="content">{Format.excerpt(schedule.task.content)}</p>
            </div>
            {may.admin ? (
              <div class="actions">
                <button type="button" onClick={() => turn(schedule)}>
                  {schedule.paused ? "Resume" : "Pause"}
                </button>
                <button type="button" onClick={() => setOpen({ _tag: "Form", schedule })}>
                  Change
                </button>
                <button type="button" onClick={() => setOpen({ _tag: "Delete", name: schedule.name })}>
                  Delete
                </button>
              </div>
            ) : null}
          </li>
        ))}
      </ul>
      {schedules.value?.length === 0 ? <p class="empty">There is no schedule.</p> : null}
      {open?._tag === "Form" ? <ScheduleForm schedule={open.schedule} onClose={close} /> : null}
      {open?._tag === "Delete" ? (
        <Confirm
          title={`Delete the schedule ${open.name}?`}
          does="Delete the schedule"
          isDangerous
          onDo={() => Api.deleteSchedule(open.name)}
          onClose={close}
        >
          <p>The tasks that it has made stay.</p>
        </Confirm>
      ) : null}
    </section>
  )
}
