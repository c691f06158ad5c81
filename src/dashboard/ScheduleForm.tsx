import { useEffect, useRef, useState } from "preact/hooks"
import * as Api from "./Api.ts"
import { changed, type ScheduleDraft, scheduleDraftOf } from "./ScheduleDraft.ts"
import type * as Wire from "./Wire.ts"

interface Given {
  /** None for a new one. */
  readonly schedule: Wire.Schedule | undefined
  readonly onClose: () => void
}

export const ScheduleForm = ({ onClose, schedule }: Given) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const [draft, setDraft] = useState<ScheduleDraft>(() => scheduleDraftOf(schedule))
  const [trouble, setTrouble] = useState("")
  const [isBusy, setBusy] = useState(false)
  const set = (part: Partial<ScheduleDraft>) => setDraft((before) => ({ ...before, ...part }))
  useEffect(() => dialog.current?.showModal(), [])

  const save = (event: Event) => {
    event.preventDefault()
    setBusy(true)
    Api.putSchedule(draft.name, changed(draft, schedule)).then(onClose, (error: unknown) => {
      setTrouble(Api.reasonOf(error))
      setBusy(false)
    })
  }
  return (
    <dialog ref={dialog} class="wide" aria-labelledby="schedule-form" onClose={onClose}>
      <h2 id="schedule-form">{schedule === undefined ? "New schedule" : `Change ${schedule.name}`}</h2>
      <form class="form" onSubmit={save}>
        {schedule === undefined ? (
          <div class="field">
            <label for="schedule-name">Name</label>
            <input
              id="schedule-name"
              required
              value={draft.name}
              onInput={({ currentTarget }) => set({ name: currentTarget.value })}
            />
          </div>
        ) : null}
        <div class="grid">
          <div class="field">
            <label for="schedule-kind">By</label>
            <select
              id="schedule-kind"
              value={draft.kind}
              onChange={({ currentTarget }) => set({ kind: currentTarget.value === "every" ? "every" : "cron" })}
            >
              <option value="cron">calendar (cron)</option>
              <option value="every">interval</option>
            </select>
          </div>
          <div class="field">
            <label for="schedule-times">{draft.kind === "cron" ? "Cron" : "Every"}</label>
            <input
              id="schedule-times"
              required
              placeholder={draft.kind === "cron" ? "0 3 * * *" : "15 minutes"}
              value={draft.times}
              onInput={({ currentTarget }) => set({ times: currentTarget.value })}
            />
          </div>
          {draft.kind === "cron" ? (
            <div class="field">
              <label for="schedule-zone">Time zone</label>
              <input
                id="schedule-zone"
                placeholder="UTC"
                value={draft.timeZone}
                onInput={({ currentTarget }) => set({ timeZone: currentTarget.value })}
              />
            </div>
          ) : null}
          <div class="field">
            <label for="schedule-missed">Missed slots</label>
            <select
              id="schedule-missed"
              value={draft.missed}
              onChange={({ currentTarget }) => set({ missed: currentTarget.value === "once" ? "once" : "skip" })}
            >
              <option value="skip">are skipped</option>
              <option value="once">are made up for once</option>
            </select>
          </div>
          <div class="field">
            <label for="schedule-type">Type of its tasks</label>
            <input
              id="schedule-type"
              placeholder="default"
              value={draft.type}
              onInput={({ currentTarget }) => set({ type: currentTarget.value })}
            />
          </div>
        </div>
        <div class="field">
          <label for="schedule-content">Content of its tasks</label>
          <textarea
            id="schedule-content"
            rows={5}
            value={draft.content}
            onInput={({ currentTarget }) => set({ content: currentTarget.value })}
          />
        </div>
        {trouble === "" ? null : (
          <p class="trouble" role="alert">
            {trouble}
          </p>
        )}
        <div class="buttons">
          <button class="primary" disabled={isBusy}>
            {schedule === undefined ? "Make the schedule" : "Change the schedule"}
          </button>
          <button type="button" onClick={onClose}>
            Leave it
          </button>
        </div>
      </form>
    </dialog>
  )
}
