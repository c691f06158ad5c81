import { Schema } from "effect"
import type { IncomingMessage } from "node:http"
import { TaskId } from "../domain/Task.ts"
import type { Scope } from "../domain/ApiKey.ts"
import type { Access } from "./Access.ts"
import * as Guard from "./Guard.ts"
import type { ServerSettings } from "./ServerSettings.ts"

export const tasks = "/api/v1/tasks"
const inTasks = `${tasks}/`

const isTaskId = Schema.is(TaskId)
const isLowerCase = (text: string): boolean => text === text.toLowerCase()

/** Bytes of a body that may be plain: where there are more, they are what costs. */
const mostBytes = 64 * 1024

/** All the headers that a plain request may have; the answer does not depend on those that are not looked at here. */
const known = new Set([
  "host",
  "accept",
  "authorization",
  "content-type",
  "content-length",
  "connection",
  "user-agent",
  "accept-encoding",
  "accept-language",
  "sec-fetch-mode",
  "traceparent",
  "tracestate"
])

/** Recognizes the requests that nothing is the matter with, and nothing special about. */
export const make = (settings: ServerSettings, access: Access["Service"]) => {
  const most = Math.min(mostBytes, settings.maxBody)
  const isOurs = Guard.ours(settings)
  let lastHost: string | undefined

  const isPlain = (request: IncomingMessage, method: string, needed: Scope): boolean => {
    const { headers } = request
    for (const name in headers) if (!known.has(name)) return false
    const { accept, host } = headers
    if (host === undefined || (host !== lastHost && !isOurs(host))) return false
    lastHost = host
    return Guard.accepts(accept, "application/json") && access.refusal(request, method, needed, headers) === undefined
  }

  return {
    /** A POST of a task; its body is still to be looked at. */
    isSubmit: (request: IncomingMessage): boolean =>
      request.method === "POST" &&
      request.url === tasks &&
      request.headers["content-type"] === "application/json" &&
      Number(request.headers["content-length"]) <= most &&
      isPlain(request, request.method, "write"),

    /** The id of the one task that a GET asks for. */
    idToRead: (request: IncomingMessage): TaskId | undefined => {
      const { headers, method, url = "" } = request
      if (method !== "GET" || !url.startsWith(inTasks)) return undefined
      const id = url.slice(inTasks.length)
      return isTaskId(id) &&
        isLowerCase(id) &&
        headers["content-length"] === undefined &&
        isPlain(request, method, "read")
        ? id
        : undefined
    }
  }
}
