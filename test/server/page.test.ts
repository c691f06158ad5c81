import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as ApiKeys from "../../src/ports/ApiKeys.ts"
import { get, served } from "./support.ts"

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
]

layer(served(), { excludeTestServices: true })("The page", (it) => {
  it.effect("runs nothing but its own files, and asks nobody but this service", () =>
    Effect.gen(function* () {
      const { headers, status, text } = yield* get("/")
      assert.strictEqual(status, 200)
      assert.strictEqual(headers["content-type"], "text/html; charset=utf-8")
      assert.deepStrictEqual(String(headers["content-security-policy"]).split("; "), policy)
      assert.strictEqual(headers["x-content-type-options"], "nosniff")
      assert.strictEqual(headers["referrer-policy"], "no-referrer")
      assert.strictEqual(headers["x-frame-options"], "DENY")
      assert.notMatch(text, /<script(?![^>]* src=)|<style|\sstyle=|\son\w+=/)
      assert.notMatch(text, /(src|href)="(?!\.?\/?(assets|docs))/)
    })
  )

  it.effect("is sent again only when it has changed, and what it consists of never", () =>
    Effect.gen(function* () {
      const { headers, text } = yield* get("/")
      assert.strictEqual(headers["cache-control"], "no-cache")
      const again = yield* get("/", { "if-none-match": `"x", W/${headers["etag"]}` })
      assert.strictEqual(again.status, 304)
      assert.strictEqual(again.text, "")
      for (const [, path = ""] of text.matchAll(/(?:src|href)="\.(\/assets\/[^"]+)"/g)) {
        const asset = yield* get(path)
        assert.strictEqual(asset.status, 200, path)
        assert.include(asset.headers["cache-control"], "immutable")
        assert.match(String(asset.headers["content-type"]), /^(text\/(javascript|css)|image\/svg)/)
        const small = yield* get(path, { "accept-encoding": "br, gzip" })
        assert.strictEqual(small.headers["content-encoding"], "gzip")
      }
    })
  )

  it.effect("gives no other file", () =>
    Effect.gen(function* () {
      for (const path of ["..%2fpackage.json", "%2e%2e%2findex.html", "nope.js", "..%5cindex.html", "toString"]) {
        assert.strictEqual((yield* get(`/assets/${path}`)).status, 404, path)
      }
      assert.strictEqual((yield* get("/", { accept: "application/json" })).status, 406)
      assert.strictEqual((yield* get("/", { host: "evil.example" })).status, 403)
    })
  )
})

const locked = Layer.succeed(ApiKeys.ApiKeys, ApiKeys.ApiKeys.of({ isLocked: () => true, find: () => undefined }))

layer(served().pipe(Layer.provide(locked)), { excludeTestServices: true })("Where a key is needed", (it) => {
  it.effect("the page comes without one: it is the page that asks for it", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* get("/")).status, 200)
      assert.strictEqual((yield* get("/assets/nope.js")).status, 404)
      assert.strictEqual((yield* get("/api/v1/queue")).status, 401)
      assert.strictEqual((yield* get("/nope")).status, 401)
    })
  )
})
