import { useState } from "preact/hooks"
import * as Api from "./Api.ts"
import { type LimitsDraft, limitsDraftOf, limitsOf, type Row } from "./LimitsDraft.ts"
import type * as Wire from "./Wire.ts"

interface Given {
  readonly limits: Wire.Limits
  readonly types: ReadonlyArray<string>
  readonly mayChange: boolean
  readonly onDone: () => void
}

interface RowsGiven {
  readonly title: string
  readonly name: string
  readonly hasRate: boolean
  readonly rows: ReadonlyArray<Row>
  readonly list?: string
  readonly onChange: (rows: ReadonlyArray<Row>) => void
}

const Cell = (given: {
  readonly label: string
  readonly value: string
  readonly placeholder?: string
  readonly list?: string | undefined
  readonly onInput: (value: string) => void
}) => (
  <label>
    <span>{given.label}</span>
    <input
      type="text"
      value={given.value}
      placeholder={given.placeholder}
      {...(given.list === undefined ? {} : { list: given.list })}
      onInput={({ currentTarget }) => given.onInput(currentTarget.value)}
    />
  </label>
)

const Rows = ({ hasRate, list, name, onChange, rows, title }: RowsGiven) => {
  const set = (index: number, part: Partial<Row>) =>
    onChange(rows.map((row, at) => (at === index ? { ...row, ...part } : row)))
  return (
    <fieldset>
      <legend>{title}</legend>
      {rows.map((row, index) => (
        <div class="limit" key={index}>
          <Cell label={name} list={list} value={row.name} onInput={(value) => set(index, { name: value })} />
          <Cell label="at once" value={row.concurrency} onInput={(concurrency) => set(index, { concurrency })} />
          {hasRate ? (
            <>
              <Cell label="begun" value={row.rate} onInput={(rate) => set(index, { rate })} />
              <Cell label="within" value={row.per} placeholder="1 minute" onInput={(per) => set(index, { per })} />
            </>
          ) : null}
          <button type="button" class="quiet" onClick={() => onChange(rows.toSpliced(index, 1))}>
            Remove {row.name === "" ? name : row.name}
          </button>
        </div>
      ))}
      <button type="button" onClick={() => onChange([...rows, { name: "", concurrency: "", rate: "", per: "" }])}>
        Add a {name}
      </button>
    </fieldset>
  )
}

/** All limits at once: they are set in place of those until now. */
export const LimitsForm = ({ limits, mayChange, onDone, types }: Given) => {
  const [draft, setDraft] = useState<LimitsDraft>(() => limitsDraftOf(limits))
  const [trouble, setTrouble] = useState("")
  const [isBusy, setBusy] = useState(false)

  const save = (event: Event) => {
    event.preventDefault()
    setBusy(true)
    setTrouble("")
    Api.setLimits(limitsOf(draft))
      .then(onDone, (error: unknown) => setTrouble(Api.reasonOf(error)))
      .finally(() => setBusy(false))
  }

  return (
    <form class="panel form" aria-label="Limits" onSubmit={save}>
      <h2>Limits</h2>
      <p class="note">Of attempts that run at once, and of those that may begin within a time. Empty is no limit.</p>
      <fieldset class="plain" disabled={!mayChange}>
        <legend class="unseen">Limits</legend>
        <div class="grid">
          <div class="field">
            <label for="limit-all">All attempts at once</label>
            <input
              id="limit-all"
              inputMode="numeric"
              value={draft.concurrency}
              onInput={({ currentTarget }) => setDraft({ ...draft, concurrency: currentTarget.value })}
            />
          </div>
          <div class="field">
            <label for="limit-each">Of each key that is not named</label>
            <input
              id="limit-each"
              inputMode="numeric"
              value={draft.eachKey}
              onInput={({ currentTarget }) => setDraft({ ...draft, eachKey: currentTarget.value })}
            />
          </div>
        </div>
        <datalist id="limit-types">
          {types.map((type) => (
            <option key={type} value={type} />
          ))}
        </datalist>
        <Rows
          title="Types"
          name="type"
          hasRate
          list="limit-types"
          rows={draft.types}
          onChange={(rows) => setDraft({ ...draft, types: rows })}
        />
        <Rows
          title="Concurrency keys"
          name="key"
          hasRate={false}
          rows={draft.keys}
          onChange={(keys) => setDraft({ ...draft, keys })}
        />
      </fieldset>
      {trouble === "" ? null : (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      {mayChange ? (
        <div class="buttons">
          <button class="primary" disabled={isBusy}>
            Set the limits
          </button>
        </div>
      ) : null}
    </form>
  )
}
