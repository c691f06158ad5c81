import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { extname } from "node:path"
import { gzipSync } from "node:zlib"
import { Effect } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { headers as always, plain, problem } from "./JsonResponse.ts"
import { pathOf, prefixOf } from "./Mounted.ts"

/** Where the page was built to: for a checkout by `npm run build:page`, and in the package beside this. */
const place = new URL(import.meta.url.endsWith(".ts") ? "../../dist/dashboard/" : "../dashboard/", import.meta.url)

/** The page has a program and a style of its own, speaks with this service, and does nothing else. */
const onlyItself = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join("; ")

const pageHeaders = {
  ...always,
  "content-security-policy": onlyItself,
  "x-frame-options": "DENY",
  "cache-control": "no-cache"
}
/** The name of a file changes with what is in it. */
const assetHeaders = { ...always, "cache-control": "public, max-age=31536000, immutable" }

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml"
}

const notBuilt = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Venom</title>
<h1>Venom runs, and its page was not built</h1>
<p>To build it: <code>npm run build:page</code>, then start Venom again. It is built by <code>npm ci</code> too, unless
that was told to ignore scripts or to leave out what is for development.</p>
<p>Everything else is there: <a href="docs">the HTTP API</a>.</p>
`

interface File {
  readonly bytes: Uint8Array
  readonly gzipped: Uint8Array
  readonly contentType: string
  readonly etag: string
}

const fileOf = (bytes: Uint8Array, contentType: string): File => ({
  bytes,
  gzipped: gzipSync(bytes),
  contentType,
  etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`
})

interface Built {
  readonly page: File
  readonly assets: ReadonlyMap<string, File>
}

const read = (): Built => {
  const html = "text/html; charset=utf-8"
  const index = new URL("index.html", place)
  if (!existsSync(index)) return { page: fileOf(Buffer.from(notBuilt), html), assets: new Map() }
  const assets = new URL("assets/", place)
  return {
    page: fileOf(readFileSync(index), html),
    assets: new Map(
      readdirSync(assets).map((name) => {
        const contentType = types[extname(name)] ?? "application/octet-stream"
        return [name, fileOf(readFileSync(new URL(name, assets)), contentType)]
      })
    )
  }
}

const isUnchanged = ({ etag }: File, ifNoneMatch: string | undefined): boolean =>
  ifNoneMatch !== undefined && ifNoneMatch.split(",").some((one) => one.trim().replace(/^W\//, "") === etag)

const answer = (
  file: File,
  { headers: asked }: HttpServerRequest.HttpServerRequest,
  given: Readonly<Record<string, string>>
) => {
  const headers = { ...given, etag: file.etag, vary: "accept-encoding" }
  if (isUnchanged(file, asked["if-none-match"])) return HttpServerResponse.empty({ status: 304, headers })
  const { contentType } = file
  return /\bgzip\b/.test(asked["accept-encoding"] ?? "")
    ? HttpServerResponse.uint8Array(file.gzipped, { contentType, headers: { ...headers, "content-encoding": "gzip" } })
    : HttpServerResponse.uint8Array(file.bytes, { contentType, headers })
}

/** The dashboard: a page, its program and its style, read once. It says nothing of tasks, so that it needs no key. */
export const layer = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const { assets, page } = yield* Effect.sync(read)
    yield* router.add("GET", "/", (request) => {
      // below a prefix, what is relative to it has to be below it too
      const isBelow = prefixOf(request) === "" || pathOf(request.originalUrl).endsWith("/")
      return Effect.succeed(
        isBelow
          ? answer(page, request, pageHeaders)
          : HttpServerResponse.empty({ status: 308, headers: { location: `${prefixOf(request)}/` } })
      )
    })
    yield* router.add(
      "GET",
      "/assets/:name",
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        const file = assets.get((yield* HttpRouter.params)["name"] ?? "")
        return file === undefined
          ? problem(request, plain(404, "Not Found"), { detail: "There is no such resource" })
          : answer(file, request, assetHeaders)
      })
    )
  })
)
