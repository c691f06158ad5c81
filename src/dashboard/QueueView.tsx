import { useState } from "preact/hooks"
import { useMay } from "./Access.ts"
import { cache, useAnswer } from "./Answer.ts"
import * as Api from "./Api.ts"
import * as Format from "./Format.ts"
import { LimitsForm } from "./LimitsForm.tsx"
import * as Live from "./Live.ts"
import * as Route from "./Route.ts"
import { statuses, wordOf } from "./Status.tsx"
import type * as Wire from "./Wire.ts"

const kept = cache<Wire.Limits>()

interface Pausing {
  readonly isPaused: boolean
  readonly type?: string
  readonly onTrouble: (text: string) => void
}

/** Holds back all tasks, or those of a type; or lets them go. */
const Pause = ({ isPaused, onTrouble, type }: Pausing) => {
  const [isBusy, setBusy] = useState(false)
  const press = () => {
    setBusy(true)
    onTrouble("")
    const act = isPaused ? Api.resume(type) : Api.pause(type)
    act.then(Live.stir, (error: unknown) => onTrouble(Api.reasonOf(error))).finally(() => setBusy(false))
  }
  return (
    <button type="button" class={isPaused ? "primary" : ""} disabled={isBusy} onClick={press}>
      {isPaused ? "Resume" : "Pause"} {type ?? "the queue"}
    </button>
  )
}

const limitText = (limit: NonNullable<Wire.Limits["types"]>[string] | undefined): string => {
  const parts = [
    limit?.concurrency === undefined ? "" : `${Format.count(limit.concurrency)} at once`,
    limit?.rate === undefined
      ? ""
      : `${Format.count(limit.rate.limit)} in ${typeof limit.rate.per === "number" ? Format.span(limit.rate.per) : limit.rate.per}`
  ].filter((part) => part !== "")
  return parts.length === 0 ? "none" : parts.join(", ")
}

/** Rows that a table has at most. */
const mostTypes = 300

/** What stands where, and what holds it back. */
export const QueueView = ({ queue }: { readonly queue: Wire.Queue | undefined }) => {
  const [trouble, setTrouble] = useState("")
  const may = useMay()
  const limits = useAnswer(kept, "limits", Api.limits, { changedBy: () => false, every: 10_000 })
  if (queue === undefined) return null
  const all = queue.types.toSorted((a, b) => a.type.localeCompare(b.type))
  const types = all.slice(0, mostTypes)
  return (
    <section aria-labelledby="queue">
      <div class="view-head">
        <h1 id="queue">Queue</h1>
        <p class="note">
          {queue.paused ? "Paused: nothing begins." : "Tasks are begun as they are due."} {Format.count(queue.running)}{" "}
          of {Format.count(queue.limit)} attempts run.
        </p>
        {may.admin ? <Pause isPaused={queue.paused} onTrouble={setTrouble} /> : null}
      </div>
      {trouble === "" ? null : (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      <div class="scroll" tabIndex={0} role="region" aria-label="Types">
        <table>
          <caption class="unseen">Tasks by type</caption>
          <thead>
            <tr>
              <th scope="col">type</th>
              {statuses.map((status) => (
                <th scope="col" class="number" key={status}>
                  {wordOf(status)}
                </th>
              ))}
              <th scope="col">limit set</th>
              <th scope="col">
                <span class="unseen">actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {types.map(({ counts, paused, type }) => (
              <tr key={type}>
                <th scope="row">
                  {type} {paused ? <span class="mark">paused</span> : null}
                </th>
                {statuses.map((status) => (
                  <td class="number" key={status}>
                    <a href={Route.href("tasks", { status, type })}>{Format.count(counts[status] ?? 0)}</a>
                  </td>
                ))}
                <td>{limitText(limits.value?.types?.[type])}</td>
                <td>{may.admin ? <Pause type={type} isPaused={paused} onTrouble={setTrouble} /> : null}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {all.length > types.length ? (
        <p class="note">And {Format.counted(all.length - types.length, "more type")}.</p>
      ) : null}
      {types.length === 0 ? <p class="empty">There is no task yet.</p> : null}
      {limits.value === undefined ? null : (
        <LimitsForm
          key={JSON.stringify(limits.value)}
          limits={limits.value}
          types={types.map(({ type }) => type)}
          mayChange={may.admin}
          onDone={() => {
            limits.reload()
            Live.stir()
          }}
        />
      )}
    </section>
  )
}
