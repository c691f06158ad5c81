import { Context } from "effect"
import { FindMyWay } from "effect/http"
import { HttpApi } from "effect/http-api"
import * as Documented from "../api/Documented.ts"
import { VenomApi } from "../api/VenomApi.ts"
import type { Needed } from "./Access.ts"

/** Routes beside those of the contract, and what they answer with. */
export const pages = { "/openapi.json": "application/json", "/docs": "text/html", "/metrics": "text/plain" } as const

/** What the dashboard is made of. It says nothing of tasks: whoever looks is asked for a key by it. */
const dashboard: ReadonlyArray<Route> = [
  { path: "/", produces: "text/html", needed: "none" },
  { path: "/assets/:name", produces: undefined, needed: "none" }
]

interface Route {
  /** As the contract writes it. */
  readonly path: string
  /** None where it depends on what is asked for. */
  readonly produces: string | undefined
  readonly needed: Needed
}

const table = FindMyWay.make<Route>({ caseSensitive: true, maxParamLength: 10_000 })
const methods = new Set(["GET"])

const usual = (method: string): Needed => (method === "GET" ? "read" : "write")

HttpApi.reflect(VenomApi, {
  onGroup: () => {},
  onEndpoint: ({ endpoint, mergedAnnotations }) => {
    methods.add(endpoint.method)
    const produces = Context.get(mergedAnnotations, Documented.Produces)
    const needed = Context.get(mergedAnnotations, Documented.Needed) ?? usual(endpoint.method)
    table.on(endpoint.method, `/${endpoint.path.slice(1)}`, { path: endpoint.path, produces, needed })
  }
})
table.on("GET", "/openapi.json", { path: "/openapi.json", produces: pages["/openapi.json"], needed: "read" })
table.on("GET", "/docs", { path: "/docs", produces: pages["/docs"], needed: "read" })
table.on("GET", "/metrics", { path: "/metrics", produces: pages["/metrics"], needed: "read" })
for (const route of dashboard) table.on("GET", `/${route.path.slice(1)}`, route)

const find = (method: string, url: string): Route | undefined =>
  table.find(method === "HEAD" ? "GET" : method, url)?.handler

/** Methods that a URL of ours has; empty where we have no such route. */
export const allowed = (url: string): ReadonlyArray<string> => {
  const found = Array.from(methods).filter((method) => table.find(method, url) !== undefined)
  return found.includes("GET") ? [...found, "HEAD"] : found
}

/** Whether there is such a route. */
export const has = (method: string, url: string): boolean => find(method, url) !== undefined

/** The media type that a route of ours answers with. */
export const produces = (method: string, url: string): string | undefined => find(method, url)?.produces

/** What a request needs; as much where there is no such route, so that only those with a key are told so. */
export const needed = (method: string, url: string): Needed => find(method, url)?.needed ?? "read"

/** The path of the route that a request is for, as the contract writes it. */
export const pathOf = (method: string, url: string): string | undefined => find(method, url)?.path
