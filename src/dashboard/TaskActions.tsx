import { useContext, useState } from "preact/hooks"
import { Access, useMay } from "./Access.ts"
import * as Api from "./Api.ts"
import { Confirm } from "./Confirm.tsx"
import { Copy } from "./Copy.tsx"
import * as Curl from "./Curl.ts"
import * as Live from "./Live.ts"
import * as Route from "./Route.ts"
import { isFinal } from "./Status.tsx"
import type * as Wire from "./Wire.ts"

type Asked = "cancel" | "delete" | undefined

/** What can be done with a task as it is now. */
export const TaskActions = ({
  onTrouble,
  task
}: {
  readonly task: Wire.Task
  readonly onTrouble: (text: string) => void
}) => {
  const [asked, askFor] = useState<Asked>(undefined)
  const [isBusy, setBusy] = useState(false)
  const { locked } = useContext(Access)
  const may = useMay()
  const close = () => askFor(undefined)

  const retry = () => {
    setBusy(true)
    onTrouble("")
    Api.retry(task.id)
      .then(Live.stir, (error: unknown) => onTrouble(Api.reasonOf(error)))
      .finally(() => setBusy(false))
  }

  return (
    <div class="actions">
      {may.write && task.status === "FAILED" ? (
        <button type="button" class="primary" disabled={isBusy} onClick={retry}>
          Retry
        </button>
      ) : null}
      {may.write && !isFinal(task.status) ? (
        <button type="button" onClick={() => askFor("cancel")}>
          Cancel
        </button>
      ) : null}
      {may.write ? (
        <a class="button" href={Route.href("submit", { copy: task.id })}>
          Run again…
        </a>
      ) : null}
      {may.write && isFinal(task.status) ? (
        <button type="button" onClick={() => askFor("delete")}>
          Delete
        </button>
      ) : null}
      <Copy label="Copy as curl" text={() => Curl.submit(task, locked)} />
      {asked === "cancel" ? (
        <Confirm
          title="Cancel this task?"
          does="Cancel the task"
          isDangerous
          onDo={() => Api.cancel(task.id).then(Live.stir)}
          onClose={close}
        >
          <p>It fails as cancelled; an attempt that runs is interrupted.</p>
        </Confirm>
      ) : null}
      {asked === "delete" ? (
        <Confirm
          title="Delete this task?"
          does="Delete the task"
          isDangerous
          onDo={() =>
            Api.remove(task.id).then(() => {
              Live.stir()
              Route.go(Route.lastList())
            })
          }
          onClose={close}
        >
          <p>Its content, its result and its log are gone then.</p>
        </Confirm>
      ) : null}
    </div>
  )
}
