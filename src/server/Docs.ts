import { Effect, flow, Record, Scope } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { HttpApiSwagger, OpenApi } from "effect/http-api"
import { VenomApi } from "../api/VenomApi.ts"
import { TypeCatalog } from "../engine/TypeCatalog.ts"
import { json } from "./JsonResponse.ts"
import { ServerSettings } from "./ServerSettings.ts"
import { withTypes } from "./TypedDocument.ts"

/** All that the page needs stands in it. Should a script in it want more, the browser gives it this service and nothing else. */
const onlyThisService = [
  "default-src 'none'",
  "script-src 'unsafe-inline'",
  "style-src 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join("; ")

const pageHeaders = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": onlyThisService,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store"
}

/** The paths of a document as they are where it is mounted. */
const under =
  (prefix: string) =>
  <A extends { readonly paths?: Readonly<Record<string, object>> }>(document: A): A => ({
    ...document,
    paths: Record.mapKeys(document.paths ?? {}, (path) => prefix + path)
  })

/** The contract as OpenAPI, and a page to read and try it. Both are made when they are first asked for. */
export const layer = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const { registered } = yield* TypeCatalog
    const { prefix } = yield* ServerSettings
    const api = VenomApi.annotate(OpenApi.Transform, flow(withTypes(registered), under(prefix)))
    const document = yield* Effect.cached(Effect.sync(() => json(JSON.stringify(OpenApi.fromApi(api)))))
    yield* router.add("GET", "/openapi.json", document)

    const scope = yield* Effect.scope
    const page = yield* HttpRouter.toHttpEffect(HttpApiSwagger.layer(api, { path: "/docs" })).pipe(
      Scope.provide(scope),
      Effect.map((swagger) => Effect.map(swagger, HttpServerResponse.setHeaders(pageHeaders))),
      Effect.cached
    )
    yield* router.add("GET", "/docs", Effect.flatten(page))
  })
)
