import { useEffect, useRef, useState } from "preact/hooks"
import * as Api from "./Api.ts"
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

/** What is asked for as a status, and is none. */
export const unknownStatus = (search: URLSearchParams): string | undefined => {
  const asked = search.get("status") ?? ""
  return asked === "" || statuses.some((status) => status === asked) ? undefined : asked
}

export const isFiltered = (filter: Wire.Filter): boolean => Object.keys(filter).length > 0

/** What is not changed stays as it stands in the URL by now. */
const change = (changed: { readonly [Name in keyof Wire.Filter]?: string }): void => {
  const { id, search, view } = Route.current()
  if (view !== "tasks" || id !== undefined) return
  Route.replace(Route.href("tasks", { ...filterOf(search), ...changed }))
}

const taskId = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/

/** The id of a task leads to the task; anything else is looked for in contents. */
const lookFor = async (text: string): Promise<void> => {
  const id = text.trim().toLowerCase()
  if (!taskId.test(id)) return change({ q: text })
  const before = Route.current()
  const isThere = await Api.task(id).then(
    () => true,
    () => false
  )
  if (!isThere) return change({ q: text })
  const { search, view } = Route.current()
  if (view === before.view && `${search}` === `${before.search}`) Route.go(Route.ofTask(id))
}

/** A text that is looked for once it has stood for a moment. */
const Text = (given: {
  readonly name: "q" | "tag"
  readonly label: string
  readonly value: string
  readonly isSearch?: boolean
  readonly onFound: (text: string) => void
}) => {
  const [text, setText] = useState(given.value)
  const told = useRef(given.value)
  useEffect(() => {
    if (given.value === told.current) return
    told.current = given.value
    setText(given.value)
  }, [given.value])
  useEffect(() => {
    if (text === given.value) return
    const timer = setTimeout(() => {
      told.current = text
      given.onFound(text)
    }, 250)
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
  const [cleared, setCleared] = useState(0)
  const types =
    filter.type === undefined || given.types.includes(filter.type) ? given.types : [filter.type, ...given.types]
  return (
    <form class="filters" role="search" aria-label="Tasks" onSubmit={(event) => event.preventDefault()}>
      <Text
        key={`q${cleared}`}
        name="q"
        label="Text in content, or the id of a task"
        value={filter.q ?? ""}
        isSearch
        onFound={(text) => void lookFor(text)}
      />
      <label>
        <span>Status</span>
        <select
          name="status"
          value={filter.status ?? ""}
          onChange={({ currentTarget }) => change({ status: currentTarget.value })}
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
          onChange={({ currentTarget }) => change({ type: currentTarget.value })}
        >
          <option value="">any</option>
          {types.map((type) => (
            <option key={type} value={type}>
              {type}
            </option>
          ))}
        </select>
      </label>
      <Text key={`tag${cleared}`} name="tag" label="Tag" value={filter.tag ?? ""} onFound={(tag) => change({ tag })} />
      {isFiltered(filter) ? (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            setCleared(cleared + 1)
            Route.replace(Route.href("tasks"))
          }}
        >
          Clear
        </button>
      ) : null}
    </form>
  )
}
