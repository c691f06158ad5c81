import { createHash } from "node:crypto"
import { assert, describe, it, layer } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import { HttpApi } from "effect/http-api"
import * as TestClock from "effect/testing/TestClock"
import { VenomApi } from "../../src/api/VenomApi.ts"
import { type ApiKey, type Scope, text } from "../../src/domain/ApiKey.ts"
import { ApiKeys } from "../../src/ports/ApiKeys.ts"
import { needed, pages } from "../../src/server/Routes.ts"
import { allRefused, inVain, json, posting, refused, tasks, unknownTask } from "./attacks.ts"
import { openStream } from "./sse.ts"
import { type Asked, ask, get, port, post, served } from "./support.ts"

const scopes = ["read", "write", "admin"] as const
const idOf = { read: "readreadread", write: "writewritewr", admin: "adminadminad" } as const
const keyOf = (scope: Scope) => text(idOf[scope], `secret-of-${scope}`)
const kept = (scope: Scope, expiresAt: number | null = null): ApiKey => ({
  id: idOf[scope],
  name: scope,
  scope,
  sha256: createHash("sha256").update(keyOf(scope)).digest("hex"),
  createdAt: 0,
  expiresAt
})
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
const admin = bearer(keyOf("admin"))

const keyring = (...keys: ReadonlyArray<ApiKey>) => {
  const known = new Map(keys.map((key) => [key.id, key]))
  return { known, layer: Layer.succeed(ApiKeys, { isLocked: () => true, find: (id) => known.get(id ?? "") }) }
}
const locked = served().pipe(Layer.provide(keyring(...scopes.map((scope) => kept(scope))).layer))

const routes: Array<Asked & { readonly method: string; readonly path: string }> = Object.keys(pages).map((path) => ({
  method: "GET",
  path
}))
HttpApi.reflect(VenomApi, {
  onGroup: () => {},
  onEndpoint: ({ endpoint: { method, path } }) => {
    const there = path.replace(":id", unknownTask.slice(tasks.length + 1)).replace(":name", "x")
    routes.push(method === "GET" ? { method, path: there } : { method, path: there, body: "{}", headers: json })
  }
})

/** A session's cookie for a key. */
const cookieFor = (key: string) =>
  Effect.map(
    ask({ method: "POST", path: "/api/v1/session", headers: json, body: JSON.stringify({ key }) }),
    ({ headers }) => String(headers["set-cookie"]?.[0]).split(";")[0] ?? ""
  )

layer(locked, { excludeTestServices: true })("Who asks, and what it may (API2, API5):", (it) => {
  const forgeries = [
    "",
    "Bearer",
    "Bearer null",
    "Bearer undefined",
    "Bearer 0",
    "Bearer *",
    "Bearer %",
    "Bearer ' OR '1'='1",
    `Basic ${Buffer.from(`admin:${keyOf("admin")}`).toString("base64")}`,
    `Bearer ${kept("admin").sha256}`,
    `Bearer ${keyOf("admin").slice(0, -1)}`,
    `Bearer ${keyOf("admin")} x`,
    `Bearer ${keyOf("admin")},${keyOf("admin")}`,
    `Bearer ${keyOf("admin").toUpperCase()}`,
    `Bearer ${text(idOf.admin, "secret-of-read")}`,
    `Bearer ${text("../../admin", "x")}`,
    `Bearer ${text("__proto__", "x")}`,
    "Bearer eyJhbGciOiJub25lIn0.eyJzY29wZSI6ImFkbWluIn0.",
    `Bearer ${"x".repeat(10_000)}`
  ]
  for (const authorization of forgeries) {
    it.effect(`a forged key opens no route: ${authorization.slice(0, 60)}`, () =>
      allRefused(
        routes
          .filter(({ method, path }) => needed(method, path) !== "none")
          .map((route) => [
            `${route.method} ${route.path}`,
            { ...route, headers: { ...route.headers, authorization } },
            401
          ]),
        admin
      )
    )
  }

  it.effect("a forged cookie opens no route", () =>
    Effect.gen(function* () {
      const cookie = yield* cookieFor(keyOf("admin"))
      const cookies = [
        "venom_session=",
        `venom_session=${"A".repeat(43)}`,
        `venom_session=${keyOf("admin")}`,
        `${cookie}x`,
        cookie.slice(0, -1),
        cookie.replace("venom_session", "VENOM_SESSION"),
        cookie.replace("venom_session", "x-venom_session"),
        `other="${cookie}`,
        "venom_session=__proto__",
        `venom_session=${"A".repeat(43)}; ${cookie}`
      ]
      const protectedRoutes = routes.filter(({ method, path }) => needed(method, path) !== "none")
      for (const forged of cookies) {
        yield* inVain(
          Effect.forEach(protectedRoutes, (route) =>
            Effect.flatMap(ask({ ...route, headers: { ...route.headers, cookie: forged } }), (answer) =>
              refused(answer, `${route.method} ${route.path} ${forged}`, [401])
            )
          ),
          admin
        )
      }
      assert.strictEqual((yield* get(tasks, { cookie })).status, 200)
    })
  )

  it.effect("no route of the contract does what its scope does not allow", () =>
    inVain(
      Effect.gen(function* () {
        const open = routes.filter(({ method, path }) => needed(method, path) === "none").map(({ path }) => path)
        assert.deepStrictEqual(Array.from(new Set(open)).sort(), ["/api/v1/session", "/health/live", "/health/ready"])
        for (const route of routes) {
          const level = needed(route.method, route.path)
          if (level === "none") continue
          for (const scope of scopes.slice(0, scopes.indexOf(level))) {
            const answer = yield* ask({ ...route, headers: { ...route.headers, ...bearer(keyOf(scope)) } })
            yield* refused(answer, `${route.method} ${route.path} as ${scope}`, [403])
          }
        }
      }),
      admin
    )
  )

  it.effect("a session writes from no page of another port of this machine", () =>
    Effect.gen(function* () {
      const cookie = yield* cookieFor(keyOf("admin"))
      const host = `127.0.0.1:${yield* port}`
      const elsewhere = [{}, { origin: "http://127.0.0.1:3000" }, { "sec-fetch-site": "same-site" }, { origin: "null" }]
      for (const headers of elsewhere) {
        const answer = yield* post(`{"content":"a"}`, { cookie, host, ...headers })
        yield* refused(answer, JSON.stringify(headers), [403])
      }
      assert.strictEqual((yield* get(tasks, admin)).text, "[]")
    })
  )
})

describe("What was good once", () => {
  /** It does not begin while it is looked at. */
  const later = `{"content":"a","delay":"1 hour"}`

  it.effect("opens nothing when it has expired: the key, and the session that it began", () =>
    Effect.gen(function* () {
      const cookie = yield* cookieFor(keyOf("write"))
      const own = { "sec-fetch-site": "same-origin" }
      assert.strictEqual((yield* post(later, bearer(keyOf("write")))).status, 201)
      assert.strictEqual((yield* post(later, { cookie, ...own })).status, 201)
      yield* TestClock.adjust(Duration.minutes(1))
      yield* allRefused([["the key", posting(later, bearer(keyOf("write"))), 401]], admin)
      yield* refused(yield* post(later, { cookie, ...own }), "the session", [401])
      yield* refused(yield* get(tasks, { cookie }), "the session reads", [401])
    }).pipe(Effect.provide(served().pipe(Layer.provide(keyring(kept("write", 60_000), kept("admin")).layer))))
  )

  it.live("opens nothing when it was revoked: the key, and the session that it began", () => {
    const ring = keyring(kept("write"), kept("admin"))
    return Effect.gen(function* () {
      const cookie = yield* cookieFor(keyOf("write"))
      assert.strictEqual((yield* get(tasks, { cookie })).status, 200)
      ring.known.delete(idOf.write)
      yield* allRefused([["the key", posting(`{"content":"a"}`, bearer(keyOf("write"))), 401]], admin)
      yield* refused(yield* get(tasks, { cookie }), "the session", [401])
      // another key under the same id is another key
      ring.known.set(idOf.write, { ...kept("write"), sha256: kept("admin").sha256 })
      yield* refused(yield* get(tasks, { cookie }), "the session of another", [401])
      yield* refused(yield* get(tasks, bearer(keyOf("write"))), "the key of another", [401])
    }).pipe(Effect.provide(served().pipe(Layer.provide(ring.layer))))
  })

  it.live("opens nothing when its session was ended, and cannot be begun anew with the cookie", () =>
    Effect.gen(function* () {
      const cookie = yield* cookieFor(keyOf("admin"))
      const ended = yield* ask({ method: "DELETE", path: "/api/v1/session", headers: { cookie } })
      assert.strictEqual(ended.status, 204)
      yield* refused(yield* get(tasks, { cookie }), "the session", [401])
      const secret = cookie.slice("venom_session=".length)
      const again = yield* ask({
        method: "POST",
        path: "/api/v1/session",
        headers: { ...json, cookie },
        body: JSON.stringify({ key: secret })
      })
      yield* refused(again, "the cookie as a key", [401])
    }).pipe(Effect.provide(locked))
  )

  for (const [end, adjust] of [
    ["with the next event", "1 second"],
    ["with the next heartbeat", "15 seconds"]
  ] as const) {
    it.effect(`listens no longer: an open stream ends ${end}`, () => {
      const ring = keyring(kept("read"), kept("admin"))
      return Effect.gen(function* () {
        const stream = yield* openStream("/api/v1/events", bearer(keyOf("read")))
        const other = yield* openStream("/api/v1/events", admin)
        yield* post(later, admin)
        yield* stream.until((text) => text.includes("PENDING"))
        ring.known.delete(idOf.read)
        yield* TestClock.adjust(adjust)
        if (end === "with the next event") yield* post(`{"content":"b","type":"unheard","delay":"1 hour"}`, admin)
        const heard = yield* stream.end
        assert.lengthOf(heard.match(/^event: status$/gm) ?? [], 1)
        yield* post(`{"content":"c","delay":"1 hour"}`, admin)
        yield* other.until((text) => (text.match(/^event: status$/gm) ?? []).length >= 2)
      }).pipe(Effect.scoped, Effect.provide(served().pipe(Layer.provide(ring.layer))))
    })
  }
})
