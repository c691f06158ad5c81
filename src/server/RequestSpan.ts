import { Layer } from "effect"
import { HttpMiddleware } from "effect/http"
import * as UrlParams from "effect/http/UrlParams"
import * as Mounted from "./Mounted.ts"
import * as Guard from "./Guard.ts"
import * as Routes from "./Routes.ts"

/**
 * What is told of a request to whoever traces: its route and path, its status, who asked. No header, since some are
 * secrets, and nothing of a query, which may hold a part of a content. Probes and metrics have no span.
 */
export const layer = Layer.mergeAll(
  Layer.succeed(HttpMiddleware.SpanNameGenerator, ({ method, url }) => {
    const route = Routes.pathOf(method, url)
    return route === undefined ? method : `${method} ${route}`
  }),
  Layer.succeed(HttpMiddleware.TracerHeaderFilter, () => false),
  Layer.succeed(UrlParams.CurrentRedactedNames, [/(?:)/]),
  Layer.succeed(
    HttpMiddleware.TracerDisabledWhen,
    ({ url }) => Guard.isHealth(url) || Mounted.pathOf(url) === "/metrics"
  )
)
