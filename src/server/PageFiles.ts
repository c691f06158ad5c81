import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { extname } from "node:path"
import { gzipSync } from "node:zlib"
import { headers as always } from "./JsonResponse.ts"

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

let built: Built | undefined

/** Read when it is first asked for, and never again: what is served is of one build. */
const files = (): Built => (built ??= read())

const isUnchanged = ({ etag }: File, ifNoneMatch: string | undefined): boolean =>
  ifNoneMatch !== undefined && ifNoneMatch.split(",").some((one) => one.trim().replace(/^W\//, "") === etag)

export interface Answer {
  readonly status: 200 | 304
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Uint8Array
}

type Asked = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

const nothing = new Uint8Array()

const answer = (file: File, asked: Asked, given: Readonly<Record<string, string>>): Answer => {
  const headers = { ...given, etag: file.etag, vary: "accept-encoding" }
  const before = asked["if-none-match"]
  if (isUnchanged(file, typeof before === "string" ? before : undefined))
    return { status: 304, headers, bytes: nothing }
  const typed = { ...headers, "content-type": file.contentType }
  return /\bgzip\b/.test(String(asked["accept-encoding"] ?? ""))
    ? { status: 200, headers: { ...typed, "content-encoding": "gzip" }, bytes: file.gzipped }
    : { status: 200, headers: typed, bytes: file.bytes }
}

/** The page, or a file of it, by its path; none where there is no such file. */
export const find = (path: string, asked: Asked): Answer | undefined => {
  if (path === "/") return answer(files().page, asked, pageHeaders)
  const asset = path.startsWith("/assets/") ? files().assets.get(path.slice("/assets/".length)) : undefined
  return asset === undefined ? undefined : answer(asset, asked, assetHeaders)
}
