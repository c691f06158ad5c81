import { loopbackNames } from "../api/Loopback.ts"
import { problems } from "../api/Problem.ts"
import { plain, type Problem } from "./JsonResponse.ts"
import { pathOf } from "./Mounted.ts"
import type { ServerSettings } from "./ServerSettings.ts"

/** What is looked at of a request. */
interface Request {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
}

export interface Refused {
  readonly kind: Problem
  readonly detail: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Characters of a request target. */
export const longestUrl = 8192

/**
 * What is refused before any route is looked for.
 *
 * A page of another origin can make a browser send requests here. It cannot choose their `Host`, so a name
 * that is rebound to this address gives itself away; and it cannot hide its `Origin` when it writes.
 */
export const make = (settings: ServerSettings): ((request: Request) => Refused | undefined) => {
  const isOurs = ours(settings)

  const foreignHost = ({ headers }: Request): Refused | undefined => {
    const host = headers["host"]
    if (typeof host !== "string") return { kind: plain(400, "Bad Request"), detail: "The Host header is missing" }
    return isOurs(host)
      ? undefined
      : {
          kind: problems.refusedOrigin,
          detail:
            "The Host header names no place of this service (VENOM_ALLOWED_HOSTS, or allowedHosts in a program, adds one)"
        }
  }

  return (request) => {
    const { url } = request
    if (url.length > longestUrl)
      return { kind: plain(414, "URI Too Long"), detail: `A URL may have ${longestUrl} characters at most` }
    if (url === "*") return { kind: plain(400, "Bad Request"), detail: "The target of a request is a path" }
    if (!isDecodable(url))
      return { kind: problems.invalidRequest, detail: "The URL has a percent-encoding that stands for no UTF-8" }
    const refused = isHealth(url) ? undefined : foreignHost(request)
    return refused ?? (writes.has(request.method) ? foreignWriter(request) : undefined)
  }
}

/** Whether a `Host` header names a place of this service. */
export const ours = (settings: ServerSettings): ((host: string) => boolean) => {
  const names = new Set([...loopbackNames, ...[settings.host, ...settings.allowedHosts].map(hostName)])
  return (host) => names.has(hostName(host))
}

const writes = new Set(["POST", "PUT", "PATCH", "DELETE"])

const foreignWriter = ({ headers }: Request): Refused | undefined => {
  const origin = headers["origin"]
  return headers["sec-fetch-site"] === "cross-site" ||
    (origin !== undefined && !isSameHost(`${origin}`, `${headers["host"]}`))
    ? { kind: problems.refusedOrigin, detail: "Pages of another origin may not write" }
    : undefined
}

/** Whether a page of this origin stands on this host; `null`, the origin of sandboxes and files, stands on none. */
const isSameHost = (origin: string, host: string): boolean => {
  const place = /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]
  return place !== undefined && place.toLowerCase() === host.toLowerCase()
}

/** A host without its port, in one spelling: IPv6 addresses have brackets. */
const hostName = (host: string): string => {
  const lower = host.trim().toLowerCase()
  const name = /^(\[[^\]]*\]|[^:]*)(:\d*)?$/.exec(lower)?.[1] ?? (lower.includes(":") ? `[${lower}]` : lower)
  return name.endsWith(".") ? name.slice(0, -1) : name
}

export const isHealth = (url: string): boolean => {
  const path = pathOf(url)
  return path === "/health/live" || path === "/health/ready"
}

const isDecodable = (url: string): boolean => {
  if (!url.includes("%")) return true
  try {
    decodeURIComponent(url)
    return true
  } catch {
    return false
  }
}

/** Whether an `Accept` header leaves this media type. */
export const accepts = (accept: string | undefined, type: string): boolean => {
  if (accept === undefined || accept === "*/*" || accept === type) return true
  const family = `${type.slice(0, type.indexOf("/"))}/*`
  let best = -1
  let quality = 0
  for (const range of accept.toLowerCase().split(",")) {
    const [name = "", ...parameters] = range.split(";").map((part) => part.trim())
    const rank = [`*/*`, family, type].indexOf(name)
    if (rank < best || rank === -1) continue
    const q = parameters.find((parameter) => parameter.startsWith("q="))
    best = rank
    quality = q === undefined ? 1 : Number(q.slice(2))
  }
  return best >= 0 && quality > 0
}
