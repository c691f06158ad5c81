import { useEffect, useState } from "preact/hooks"
import { blank, type JsonSchema } from "./JsonSchema.ts"
import { SchemaField } from "./SchemaField.tsx"

interface Given {
  readonly schema: JsonSchema | undefined
  readonly text: string
  /** There is nothing yet that must be kept. */
  readonly isNew: boolean
  readonly onChange: (text: string) => void
}

const parsed = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

/** What is to be done: a form where the type says what it is, else any text. */
export const ContentField = ({ isNew, onChange, schema, text }: Given) => {
  const [isText, setText] = useState(false)
  const value = parsed(text)
  const begin = () => {
    if (schema === undefined) return
    const first = blank(schema, schema)
    onChange(first === undefined ? "" : JSON.stringify(first))
  }
  useEffect(() => {
    if (schema !== undefined && isNew && value === undefined) begin()
  }, [schema])
  const isForm = schema !== undefined && !isText && value !== undefined
  return (
    <div>
      {schema === undefined ? null : (
        <div class="choice" role="group" aria-label="Content as">
          <button
            type="button"
            class="quiet"
            aria-pressed={!isText}
            disabled={value === undefined}
            onClick={() => setText(false)}
          >
            Form
          </button>
          <button type="button" class="quiet" aria-pressed={isText} onClick={() => setText(true)}>
            JSON
          </button>
        </div>
      )}
      {isForm ? (
        <SchemaField
          name="Content"
          schema={schema}
          root={schema}
          value={value.value}
          isNeeded
          onChange={(changed) => onChange(changed === undefined ? "" : JSON.stringify(changed))}
        />
      ) : (
        <div class="field">
          <label for="content">Content</label>
          <textarea
            id="content"
            rows={10}
            spellcheck={false}
            value={text}
            onInput={({ currentTarget }) => onChange(currentTarget.value)}
          />
          {schema !== undefined && value === undefined ? (
            <small>
              This type takes JSON, and this is none yet.{" "}
              <button type="button" class="quiet" onClick={begin}>
                Begin anew
              </button>
            </small>
          ) : null}
        </div>
      )}
    </div>
  )
}
