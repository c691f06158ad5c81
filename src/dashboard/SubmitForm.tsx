import { useState } from "preact/hooks"
import * as Api from "./Api.ts"
import { ContentField } from "./ContentField.tsx"
import * as Keys from "./Keys.ts"
import * as Live from "./Live.ts"
import * as Route from "./Route.ts"
import { draftOf, type Draft, requestOf } from "./Draft.ts"
import type * as Wire from "./Wire.ts"

type Name = keyof Draft

/** What need not be said, in the words of the API. */
const options: ReadonlyArray<readonly [Name, label: string, hint: string]> = [
  ["priority", "Priority", "−100 to 100, lower runs first; 0"],
  ["delay", "Delay", "such as 5 minutes; none"],
  ["max_attempts", "Attempts at most", "as the service has it"],
  ["timeout", "Timeout", "of one attempt, such as 30 seconds"],
  ["tags", "Tags", "separated by commas"],
  ["concurrency_key", "Concurrency key", "tasks with the same one share a limit"],
  ["unique_key", "Unique key", "one unfinished task has it"],
  ["deadline", "Deadline", "such as 2027-01-31T12:00:00Z"],
  ["retention", "Kept for", "such as 7 days"]
]

interface Given {
  readonly types: ReadonlyArray<Wire.TypeInfo>
  readonly source: Wire.Task | undefined
}

export const SubmitForm = ({ source, types }: Given) => {
  const [draft, setDraft] = useState<Draft>(() => draftOf(source))
  const [keyOf] = useState(Keys.byBody)
  const [trouble, setTrouble] = useState("")
  const [isBusy, setBusy] = useState(false)
  const set = (name: Name, value: string) => setDraft((before) => ({ ...before, [name]: value }))
  const schema = types.find(({ name }) => name === draft.type)?.payload ?? undefined

  const submit = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    try {
      const body = requestOf(draft, source)
      const { task_id } = await Api.submit(body, keyOf(body))
      Live.stir()
      Route.go(Route.ofTask(task_id))
    } catch (error) {
      setTrouble(Api.reasonOf(error))
      setBusy(false)
    }
  }

  return (
    <form class="panel form" onSubmit={(event) => void submit(event)}>
      <div class="field">
        <label for="type">Type</label>
        <input
          id="type"
          list="types"
          value={draft.type}
          placeholder="default"
          onInput={({ currentTarget }) => set("type", currentTarget.value)}
        />
        <datalist id="types">
          {types.map(({ name }) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </div>
      <ContentField
        key={schema === undefined ? "" : draft.type}
        schema={schema}
        text={draft.content}
        isNew={source === undefined}
        onChange={(text) => set("content", text)}
      />
      <details>
        <summary>How it is to run</summary>
        <div class="grid">
          {options.map(([name, label, hint]) => (
            <div class="field" key={name}>
              <label for={`option-${name}`}>{label}</label>
              <input
                id={`option-${name}`}
                value={draft[name]}
                placeholder={hint}
                onInput={({ currentTarget }) => set(name, currentTarget.value)}
              />
            </div>
          ))}
        </div>
      </details>
      {trouble === "" ? null : (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      <div class="buttons">
        <button class="primary" disabled={isBusy}>
          Submit the task
        </button>
      </div>
    </form>
  )
}
