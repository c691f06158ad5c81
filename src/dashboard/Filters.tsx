import { useEffect, useState } from "preact/hooks"
import * as Route from "./Route.ts"
import { statuses, wordOf } from "./Status.tsx"
import type * as Wire from "./Wire.ts"

export const filterOf = (search: URLSearchParams): Wire.Filter => {
  const status = statuses.find((one) => one === search.get("status"))
  const text = (name: string) => {
    const value = search.get(name) ?? ""
    return value === "" ? {} : { [name]: value }
  }
  return { ...(status === undefined ? {} : { status }), ...text("type"), ...text("tag"), ...text("q") }
}

export const isFiltered = (filter: Wire.Filter): boolean => Object.keys(filter).length > 0

const show = (filter: Wire.Filter): void => Route.replace(Route.href("tasks", filter))

/** A text that is looked for once it has stood for a moment. */
const Text = (given: {
  readonly name: "q" | "tag"
  readonly label: string
  readonly value: string
  readonly isSearch?: boolean
  readonly onFound: (text: string) => void
}) => {
  const [text, setText] = useState(given.value)
  useEffect(() => setText(given.value), [given.value])
  useEffect(() => {
    if (text === given.value) return
    const timer = setTimeout(() => given.onFound(text), 250)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <label class={given.isSearch ? "wide" : ""}>
      <span>{given.label}</span>
      <input
        type="search"
        name={given.name}
        value={text}
        data-search={given.isSearch ? "" : undefined}
        placeholder={given.isSearch ? "/ to search" : undefined}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
    </label>
  )
}

/** Which tasks are shown; all of it stands in the URL. */
export const Filters = (given: { readonly filter: Wire.Filter; readonly types: ReadonlyArray<string> }) => {
  const { filter } = given
  const types =
    filter.type === undefined || given.types.includes(filter.type) ? given.types : [filter.type, ...given.types]
  return (
    <form class="filters" role="search" aria-label="Tasks" onSubmit={(event) => event.preventDefault()}>
      <Text name="q" label="Text in content" value={filter.q ?? ""} isSearch onFound={(q) => show({ ...filter, q })} />
      <label>
        <span>Status</span>
        <select
          name="status"
          value={filter.status ?? ""}
          onChange={({ currentTarget }) => {
            const status = statuses.find((one) => one === currentTarget.value)
            const { status: _, ...rest } = filter
            show(status === undefined ? rest : { ...rest, status })
          }}
        >
          <option value="">any</option>
          {statuses.map((status) => (
            <option key={status} value={status}>
              {wordOf(status)}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>Type</span>
        <select
          name="type"
          value={filter.type ?? ""}
          onChange={({ currentTarget }) => show({ ...filter, type: currentTarget.value })}
        >
          <option value="">any</option>
          {types.map((type) => (
            <option key={type} value={type}>
              {type}
            </option>
          ))}
        </select>
      </label>
      <Text name="tag" label="Tag" value={filter.tag ?? ""} onFound={(tag) => show({ ...filter, tag })} />
      {isFiltered(filter) ? (
        <button type="button" class="quiet" onClick={() => show({})}>
          Clear
        </button>
      ) : null}
    </form>
  )
}
