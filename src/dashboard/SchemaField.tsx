import { useId, useState } from "preact/hooks"
import { blank, type Field, fieldOf, type JsonSchema, resolved } from "./JsonSchema.ts"

interface Given {
  readonly name: string
  readonly schema: JsonSchema
  readonly root: JsonSchema
  readonly value: unknown
  readonly isNeeded: boolean
  readonly onChange: (value: unknown) => void
}

const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const hintOf = ({ description, maximum, maxLength, minimum, minLength, pattern }: JsonSchema): string =>
  [
    description,
    minimum === undefined ? "" : `at least ${minimum}`,
    maximum === undefined ? "" : `at most ${maximum}`,
    minLength === undefined || minLength < 2 ? "" : `${minLength} characters or more`,
    maxLength === undefined ? "" : `${maxLength} characters at most`,
    pattern === undefined ? "" : `as ${pattern}`
  ]
    .filter((part) => part !== undefined && part !== "")
    .join(", ")

/** Anything, as JSON; what is none is told, and not taken. */
const JsonInput = ({ id, onChange, value }: Pick<Given, "onChange" | "value"> & { readonly id: string }) => {
  const [text, setText] = useState(value === undefined ? "" : JSON.stringify(value, null, 2))
  const [trouble, setTrouble] = useState("")
  const write = (written: string) => {
    setText(written)
    try {
      onChange(written.trim() === "" ? undefined : JSON.parse(written))
      setTrouble("")
    } catch {
      setTrouble("This is no JSON yet")
    }
  }
  return (
    <>
      <textarea id={id} rows={3} value={text} onInput={({ currentTarget }) => write(currentTarget.value)} />
      {trouble === "" ? null : <small role="alert">{trouble}</small>}
    </>
  )
}

const Simple = ({ field, given, id }: { readonly field: Field; readonly given: Given; readonly id: string }) => {
  const { isNeeded, onChange, value } = given
  switch (field._tag) {
    case "Text": {
      const text = typeof value === "string" ? value : ""
      const write = (written: string) => onChange(written === "" && !isNeeded ? undefined : written)
      return field.isLong && text.length > 60 ? (
        <textarea id={id} rows={4} value={text} onInput={({ currentTarget }) => write(currentTarget.value)} />
      ) : (
        <input id={id} value={text} onInput={({ currentTarget }) => write(currentTarget.value)} />
      )
    }
    case "Number":
      return (
        <input
          id={id}
          type="number"
          step={field.isWhole ? 1 : "any"}
          required={isNeeded}
          value={typeof value === "number" ? value : ""}
          onInput={({ currentTarget }) =>
            onChange(Number.isNaN(currentTarget.valueAsNumber) ? undefined : currentTarget.valueAsNumber)
          }
        />
      )
    case "Flag":
      return (
        <input
          id={id}
          type="checkbox"
          checked={value === true}
          onChange={({ currentTarget }) => onChange(currentTarget.checked)}
        />
      )
    case "Choice": {
      const at = field.values.findIndex((one) => JSON.stringify(one) === JSON.stringify(value))
      return (
        <select
          id={id}
          value={`${at}`}
          onChange={({ currentTarget }) => onChange(field.values[Number(currentTarget.value)])}
        >
          {isNeeded && at >= 0 ? null : <option value="-1">–</option>}
          {field.values.map((one, index) => (
            <option key={index} value={`${index}`}>
              {typeof one === "string" ? one : JSON.stringify(one)}
            </option>
          ))}
        </select>
      )
    }
    default:
      return <JsonInput id={id} value={value} onChange={onChange} />
  }
}

const Items = ({ given, items }: { readonly given: Given; readonly items: JsonSchema }) => {
  const values: ReadonlyArray<unknown> = Array.isArray(given.value) ? given.value : []
  return (
    <fieldset>
      <legend>{given.name}</legend>
      {values.map((value, index) => (
        <div class="item" key={index}>
          <SchemaField
            name={`${given.name} ${index + 1}`}
            schema={items}
            root={given.root}
            value={value}
            isNeeded
            onChange={(changed) => given.onChange(values.with(index, changed))}
          />
          <button type="button" class="quiet" onClick={() => given.onChange(values.toSpliced(index, 1))}>
            Remove {given.name} {index + 1}
          </button>
        </div>
      ))}
      <button type="button" onClick={() => given.onChange([...values, blank(items, given.root)])}>
        Add to {given.name}
      </button>
    </fieldset>
  )
}

/** A value of a schema, asked for as its schema has it. */
export const SchemaField = (given: Given) => {
  const id = useId()
  const schema = resolved(given.schema, given.root)
  const field = fieldOf(schema, given.root)
  const { isNeeded, name, onChange, root, value } = given
  if (field._tag === "List") return <Items given={given} items={field.items} />
  if (field._tag === "Group") {
    const group = isGroup(value) ? value : {}
    const set = (key: string, changed: unknown) => {
      const { [key]: _, ...rest } = group
      onChange(changed === undefined ? rest : { ...rest, [key]: changed })
    }
    if (!isNeeded && value === undefined) {
      return (
        <p>
          <button type="button" onClick={() => onChange(blank(schema, root))}>
            Add {name}
          </button>
        </p>
      )
    }
    return (
      <fieldset>
        <legend>{name}</legend>
        {field.fields.map(([key, property, needed]) => (
          <SchemaField
            key={key}
            name={key}
            schema={property}
            root={root}
            value={group[key]}
            isNeeded={needed}
            onChange={(changed) => set(key, changed)}
          />
        ))}
      </fieldset>
    )
  }
  const hint = hintOf(schema)
  return (
    <div class="field">
      <label for={id}>
        {name}
        {isNeeded ? "" : <small> (may be left out)</small>}
      </label>
      <Simple id={id} field={field} given={given} />
      {hint === "" ? null : <small>{hint}</small>}
    </div>
  )
}
