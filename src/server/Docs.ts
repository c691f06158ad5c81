import { createHash } from "node:crypto"
import { Effect, flow, Record, Scope } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { HttpApiSwagger, OpenApi } from "effect/http-api"
import { VenomApi } from "../api/VenomApi.ts"
import { TypeCatalog } from "../engine/TypeCatalog.ts"
import { headers, json } from "./JsonResponse.ts"
import { withKeys } from "./SecuredDocument.ts"
import { ServerSettings } from "./ServerSettings.ts"
import { withTypes } from "./TypedDocument.ts"

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

/** Where a browser may take what the page needs from: what stands in it, told by its hash, and this service. */
const policyOf = (page: string): string => {
  const hashesOf = (tag: "script" | "style") =>
    Array.from(page.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, "gs")), ([, text = ""]) => hash(text)).join(" ")
  return [
    "default-src 'none'",
    `script-src ${hashesOf("script")}`,
    `style-src ${hashesOf("style")}`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; ")
}

const asPage = (swagger: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse => {
  const page = swagger.body._tag === "Uint8Array" ? new TextDecoder().decode(swagger.body.body) : ""
  return HttpServerResponse.text(page, {
    contentType: "text/html; charset=utf-8",
    headers: { ...headers, "content-security-policy": policyOf(page), "x-frame-options": "DENY" }
  })
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
    const api = VenomApi.annotate(OpenApi.Transform, flow(withTypes(registered), withKeys, under(prefix)))
    const document = yield* Effect.cached(Effect.sync(() => json(JSON.stringify(OpenApi.fromApi(api)))))
    yield* router.add("GET", "/openapi.json", document)

    const scope = yield* Effect.scope
    const page = yield* HttpRouter.toHttpEffect(HttpApiSwagger.layer(api, { path: "/docs" })).pipe(
      Scope.provide(scope),
      Effect.flatMap(Effect.map(asPage)),
      Effect.cached
    )
    yield* router.add("GET", "/docs", page)
  })
)
