import { useEffect, useState } from "preact/hooks"
import * as Api from "./Api.ts"
import { Confirm } from "./Confirm.tsx"
import * as Format from "./Format.ts"
import * as Live from "./Live.ts"
import { wordOf } from "./Status.tsx"
import type * as Wire from "./Wire.ts"

const does: Readonly<Record<Api.Action, string>> = { cancel: "Cancel", retry: "Retry", delete: "Delete" }

interface Choice {
  readonly action: Api.Action
  /** Those whose status forbids it are not meant: the number that is told is the number that is changed. */
  readonly status: Wire.TaskStatus
}

const choices: ReadonlyArray<Choice> = [
  { action: "cancel", status: "PENDING" },
  { action: "cancel", status: "PROCESSING" },
  { action: "retry", status: "FAILED" },
  { action: "delete", status: "FAILED" },
  { action: "delete", status: "COMPLETED" }
]

const said = ({ q, status, tag, type }: Wire.Filter): string =>
  [
    status === undefined ? "" : wordOf(status),
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
          : `, ${Format.count(skipped)} skipped: ${full === true ? "the queue is full" : "their status has changed meanwhile"}`
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
      {trouble === "" ? null : <p class="trouble">{trouble}</p>}
    </Confirm>
  )
}

/** Does something to all tasks that match the filter. */
export const Bulk = ({ filter, isEmpty }: { readonly filter: Wire.Filter; readonly isEmpty: boolean }) => {
  const [asked, askFor] = useState<Choice | undefined>(undefined)
  const [done, setDone] = useState("")
  useEffect(() => setDone(""), [JSON.stringify(filter)])
  const possible = choices.filter(({ status }) => filter.status === undefined || filter.status === status)
  return (
    <div class="bulk">
      <span class="note" role="status">
        {done}
      </span>
      {isEmpty ? null : (
        <>
          <span class="note">All that match:</span>
          {possible.map((choice) => (
            <button
              type="button"
              class="quiet"
              key={`${choice.action} ${choice.status}`}
              onClick={() => askFor(choice)}
            >
              {does[choice.action]} {wordOf(choice.status)}…
            </button>
          ))}
        </>
      )}
      {asked === undefined ? null : (
        <Ask
          action={asked.action}
          filter={{ ...filter, status: asked.status }}
          onClose={() => askFor(undefined)}
          onDone={setDone}
        />
      )}
    </div>
  )
}
