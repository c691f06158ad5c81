import * as Clock from "./Clock.ts"
import type * as Wire from "./Wire.ts"

/** Everything is asked for below the place of this page. */
export const base = new URL(".", document.baseURI)

/** The service has refused, or nothing has answered (status 0). */
export class Refused extends Error {
  readonly status: number
  readonly problem: Wire.Problem

  constructor(status: number, problem: Wire.Problem) {
    const errors = problem.errors ?? []
    const named = errors.map(({ message, path }) => (path === "" ? message : `${path}: ${message}`)).join("; ")
    const detail = problem.detail ?? problem.title ?? `HTTP ${status}`
    super(named === "" || detail.includes(named) ? detail : `${detail}: ${named}`)
    this.status = status
    this.problem = problem
  }
}

/** Whoever asks may ask so, but got no answer: nothing, a service in trouble or one that is asked too often. */
export const isTrouble = ({ status }: Refused): boolean => status === 0 || status === 429 || status >= 500

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : `${error}`)

const strangers = new Set<() => void>()

/** Calls whenever a key is asked for. */
export const onKeyNeeded = (listener: () => void): (() => void) => {
  strangers.add(listener)
  return () => strangers.delete(listener)
}

export interface Asked {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE"
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

const problemOf = async (response: Response): Promise<Wire.Problem> => {
  if (!response.headers.get("content-type")?.includes("json")) return { title: response.statusText }
  const problem: Wire.Problem = await response.json()
  return problem
}

/** An answer that is none of a refusal. */
export const ask = async (
  path: string,
  { body, headers = {}, method = "GET", signal }: Asked = {}
): Promise<Response> => {
  const response = await fetch(new URL(path, base), {
    method,
    cache: "no-store",
    credentials: "same-origin",
    headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal })
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error
    throw new Refused(0, { detail: "Venom does not answer" })
  })
  if (response.ok) {
    Clock.heard(response.headers.get("date"))
    return response
  }
  if (response.status === 401) for (const tell of strangers) tell()
  throw new Refused(response.status, await problemOf(response))
}

const read = async <A>(path: string, asked?: Asked): Promise<A> => {
  const answer: A = await (await ask(`api/v1/${path}`, asked)).json()
  return answer
}

const query = (given: object): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(given))
    if (value !== undefined && value !== "") search.set(name, `${value}`)
  const text = search.toString()
  return text === "" ? "" : `?${text}`
}

export interface Page {
  readonly tasks: ReadonlyArray<Wire.Task>
  readonly hasMore: boolean
}

export interface Wanted extends Wire.Filter {
  readonly limit: number
  readonly cursor?: string | undefined
}

export const tasks = async (wanted: Wanted, signal?: AbortSignal): Promise<Page> => {
  const response = await ask(`api/v1/tasks${query(wanted)}`, { signal })
  const found: ReadonlyArray<Wire.Task> = await response.json()
  return { tasks: found, hasMore: response.headers.has("link") }
}

const of = (id: string) => `tasks/${encodeURIComponent(id)}`

export const task = (id: string, signal?: AbortSignal) => read<Wire.Task>(of(id), { signal })
export const why = (id: string, signal?: AbortSignal) => read<Wire.Why>(`${of(id)}/why`, { signal })
export const cancel = (id: string) => read<Wire.Task>(`${of(id)}/cancel`, { method: "POST" })
export const retry = (id: string) => read<Wire.Task>(`${of(id)}/retry`, { method: "POST" })
export const remove = (id: string) => ask(`api/v1/${of(id)}`, { method: "DELETE" })

export const submit = (body: Wire.TaskRequest | Wire.TaskCopyRequest, idempotencyKey: string) =>
  read<Wire.TaskResponse>("tasks", { method: "POST", body, headers: { "idempotency-key": idempotencyKey } })

export type Action = "cancel" | "retry" | "delete"

export const act = (action: Action, body: Wire.ActionRequest) =>
  read<Wire.ActionResponse>(`tasks/actions/${action}`, { method: "POST", body })

/** How many match now, exactly: an action on none of them is refused with their number, and does nothing. */
export const count = async (action: Action, filter: Wire.Filter): Promise<number> => {
  try {
    return (await act(action, { ...filter, expected: 0 })).matched
  } catch (error) {
    const matched = error instanceof Refused ? error.problem.matched : undefined
    if (matched === undefined) throw error
    return matched
  }
}

export const queue = (signal?: AbortSignal) => read<Wire.Queue>("queue", { signal })
const ofType = (type: string | undefined) => (type === undefined ? {} : { type })
export const pause = (type?: string) => read<Wire.Queue>("queue/pause", { method: "POST", body: ofType(type) })
export const resume = (type?: string) => read<Wire.Queue>("queue/resume", { method: "POST", body: ofType(type) })
export const limits = (signal?: AbortSignal) => read<Wire.Limits>("queue/limits", { signal })
export const setLimits = (body: Wire.Limits) => read<Wire.Limits>("queue/limits", { method: "PUT", body })

const named = (name: string) => `schedules/${encodeURIComponent(name)}`
export const schedules = (signal?: AbortSignal) => read<ReadonlyArray<Wire.Schedule>>("schedules", { signal })
export const putSchedule = (name: string, body: Wire.ScheduleRequest) =>
  read<Wire.Schedule>(named(name), { method: "PUT", body })
export const deleteSchedule = (name: string) => ask(`api/v1/${named(name)}`, { method: "DELETE" })

export const types = (signal?: AbortSignal) => read<ReadonlyArray<Wire.TypeInfo>>("types", { signal })
export const nodes = (signal?: AbortSignal) => read<ReadonlyArray<Wire.Node>>("nodes", { signal })

export const session = (signal?: AbortSignal) => read<Wire.Session>("session", { signal })
export const login = (key: string) => ask("api/v1/session", { method: "POST", body: { key } })
export const logout = () => ask("api/v1/session", { method: "DELETE" })

/** Why the service would take no task now; undefined where it would. */
export const unready = async (signal?: AbortSignal): Promise<string | null> => {
  try {
    await ask("health/ready", { signal })
    return null
  } catch (error) {
    if (error instanceof Refused && error.status === 503) return error.message
    throw error
  }
}

export const statistics = (signal?: AbortSignal) => read<Wire.Statistics>("statistics", { signal })
export const storage = (signal?: AbortSignal) => read<Wire.Storage>("storage", { signal })
