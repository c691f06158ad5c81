import { useEffect, useState } from "preact/hooks"

/** What is looked at: all of it stands in the URL, behind the #, so that it can be sent to others. */
export interface Route {
  /** Such as `tasks`, or `tasks` with the id of one. */
  readonly view: string
  readonly id: string | undefined
  readonly search: URLSearchParams
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const parse = (hash: string): Route => {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2)
  const [view = "", id] = path.split("/", 2)
  return {
    view: view === "" ? "tasks" : view,
    id: id === undefined || id === "" ? undefined : decoded(id),
    search: new URLSearchParams(query)
  }
}

export const href = (path: string, given: object = {}): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(given))
    if (value !== undefined && value !== "") search.set(name, `${value}`)
  const query = search.toString()
  return `#/${path}${query === "" ? "" : `?${query}`}`
}

let list = href("tasks")

/** The list that was looked at last, with its filter. */
export const lastList = (): string => list

export const rememberList = (search: URLSearchParams): void => {
  list = href("tasks", Object.fromEntries(search))
}

export const ofTask = (id: string): string => href(`tasks/${encodeURIComponent(id)}`)

export const go = (to: string): void => {
  location.hash = to
}

/** In the place of what is looked at now: nothing to go back to. */
export const replace = (to: string): void => {
  location.replace(to)
}

export const current = (): Route => parse(location.hash)

export const useRoute = (): Route => {
  const [route, setRoute] = useState(current)
  useEffect(() => {
    const changed = () => setRoute(current())
    addEventListener("hashchange", changed)
    return () => removeEventListener("hashchange", changed)
  }, [])
  return route
}
