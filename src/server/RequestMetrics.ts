import type { Server } from "node:http"
import { type Context, Effect, Metric } from "effect"
import * as Routes from "./Routes.ts"

const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 60]

const took = Metric.histogram("venom_http_request_seconds", {
  description: "From a request's headers to the end of its answer, streams and those that wait included",
  boundaries: seconds
})

/** All that no route of ours is for. */
const none = "none"

/** Whoever asked was gone before the answer. */
const hungUp = "aborted"

const oneTask = /^\/api\/v1\/tasks\/[\da-f-]{36}$/

/** The two requests that a queue gets without end are known without a look at all routes. */
const routeOf = (method: string, url: string): string | undefined => {
  if (method === "POST" && url === "/api/v1/tasks") return url
  return method === "GET" && oneTask.test(url) ? "/api/v1/tasks/:id" : Routes.pathOf(method, url)
}

/** Counts what a server answers; costs a request about a microsecond. */
export const install = (server: Server) =>
  Effect.contextWith((context: Context.Context<never>) =>
    Effect.sync(() => {
      const counters = new Map<string, Metric.Counter<number>>()
      const counterOf = (method: string, route: string, status: string): Metric.Counter<number> => {
        const key = `${status} ${method} ${route}`
        const known = counters.get(key)
        if (known !== undefined) return known
        const made = Metric.counter("venom_http_requests_total", {
          description: "Requests answered",
          incremental: true,
          attributes: { method, route, status }
        })
        counters.set(key, made)
        return made
      }
      server.prependListener("request", (request, response) => {
        const begun = performance.now()
        response.once("close", () => {
          const route = routeOf(request.method ?? "", request.url ?? "")
          const method = route === undefined ? "any" : (request.method ?? "")
          counterOf(method, route ?? none, response.headersSent ? String(response.statusCode) : hungUp).updateUnsafe(
            1,
            context
          )
          took.updateUnsafe((performance.now() - begun) / 1000, context)
        })
      })
    })
  )
