import { Context } from "effect"
import { FindMyWay } from "effect/http"
import { HttpApi } from "effect/http-api"
import * as Documented from "../api/Documented.ts"
import { VenomApi } from "../api/VenomApi.ts"

/** Routes beside those of the contract, and what they answer with. */
export const pages = { "/openapi.json": "application/json", "/docs": "text/html" } as const

const table = FindMyWay.make<{ readonly produces: string }>({ caseSensitive: true, maxParamLength: 10_000 })
const methods = new Set(["GET"])

HttpApi.reflect(VenomApi, {
  onGroup: () => {},
  onEndpoint: ({ endpoint, mergedAnnotations }) => {
    methods.add(endpoint.method)
    const produces = Context.get(mergedAnnotations, Documented.Produces)
    table.on(endpoint.method, `/${endpoint.path.slice(1)}`, { produces })
  }
})
table.on("GET", "/openapi.json", { produces: pages["/openapi.json"] })
table.on("GET", "/docs", { produces: pages["/docs"] })

/** Methods that a URL of ours has; empty where we have no such route. */
export const allowed = (url: string): ReadonlyArray<string> => {
  const found = Array.from(methods).filter((method) => table.find(method, url) !== undefined)
  return found.includes("GET") ? [...found, "HEAD"] : found
}

/** The media type that a route of ours answers with. */
export const produces = (method: string, url: string): string | undefined =>
  table.find(method === "HEAD" ? "GET" : method, url)?.handler.produces
