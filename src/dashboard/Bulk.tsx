import { useEffect, useState } from "preact/hooks"
import * as Api from "./Api.ts"
import { Confirm } from "./Confirm.tsx"
import * as Format from "./Format.ts"
import * as Live from "./Live.ts"
import { wordOf } from "./Status.tsx"
import type * as Wire from "./Wire.ts"

const does: Readonly<Record<Api.Action, string>> = { cancel: "Cancel", retry: "Retry", delete: "Delete" }

/** What can be done to tasks of a status; to those of any, too, and the others are skipped. */
const actionsOn = (status: Wire.TaskStatus | undefined): ReadonlyArray<Api.Action> => {
  switch (status) {
    case "PENDING":
    case "PROCESSING":
      return ["cancel"]
    case "COMPLETED":
      return ["delete"]
    case "FAILED":
      return ["retry", "delete"]
    case undefined:
      return ["cancel", "retry", "delete"]
  }
}

const said = ({ q, status, tag, type }: Wire.Filter): string =>
  [
    status === undefined ? "of any status" : wordOf(status),
    type === undefined ? "" : `of the type ${type}`,
    tag === undefined ? "" : `with the tag ${tag}`,
    q === undefined ? "" : `with “${q}” in their content`
  ]
    .filter((part) => part !== "")
    .join(", ")

interface Asked {
  readonly action: Api.Action
  readonly filter: Wire.Filter
  readonly onClose: () => void
  readonly onDone: (what: string) => void
}

/** Tells how many it is about, and does it to that many or to none. */
const Ask = ({ action, filter, onClose, onDone }: Asked) => {
  const [matched, setMatched] = useState<number | undefined>(undefined)
  const [trouble, setTrouble] = useState("")
  const count = () => {
    Api.count(action, filter).then(setMatched, (error: unknown) => setTrouble(Api.reasonOf(error)))
  }
  useEffect(count, [])

  const run = async () => {
    try {
      const { changed, full, skipped } = await Api.act(action, { ...filter, expected: matched ?? 0 })
      const skips =
        skipped === 0
          ? ""
          : `, ${Format.count(skipped)} skipped: ${full === true ? "the queue is full" : "their status forbids it"}`
      onDone(`${does[action]}: ${Format.counted(changed, "task")} changed${skips}.`)
    } catch (error) {
      const now = error instanceof Api.Refused ? error.problem.matched : undefined
      if (now === undefined) throw error
      setMatched(now)
      throw new Error(`It is ${Format.counted(now, "task")} by now. Nothing was done.`, { cause: error })
    } finally {
      Live.stir()
    }
  }
  const tasks = matched === undefined ? "…" : Format.counted(matched, "task")
  return (
    <Confirm
      title={`${does[action]} ${tasks}?`}
      does={`${does[action]} ${tasks}`}
      isDangerous={action !== "retry"}
      isDisabled={matched === undefined || matched === 0}
      onDo={run}
      onClose={onClose}
    >
      <p>
        {matched === undefined ? "Counting…" : `Exactly ${tasks} match now`}: {said(filter)}.
      </p>
      {filter.status === undefined ? <p class="note">Those whose status forbids it are skipped.</p> : null}
      {trouble === "" ? null : <p class="trouble">{trouble}</p>}
    </Confirm>
  )
}

/** Does something to all tasks that match the filter. */
export const Bulk = ({ filter, isEmpty }: { readonly filter: Wire.Filter; readonly isEmpty: boolean }) => {
  const [action, setAction] = useState<Api.Action | undefined>(undefined)
  const [done, setDone] = useState("")
  useEffect(() => setDone(""), [JSON.stringify(filter)])
  return (
    <div class="bulk">
      <span class="note" role="status">
        {done}
      </span>
      {isEmpty ? null : (
        <>
          <span class="note">All that match:</span>
          {actionsOn(filter.status).map((one) => (
            <button type="button" class="quiet" key={one} onClick={() => setAction(one)}>
              {does[one]} all…
            </button>
          ))}
        </>
      )}
      {action === undefined ? null : (
        <Ask action={action} filter={filter} onClose={() => setAction(undefined)} onDone={setDone} />
      )}
    </div>
  )
}
