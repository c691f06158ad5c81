import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import * as TestClock from "effect/testing/TestClock"
import { type ApiKey, type Scope, text } from "../../src/domain/ApiKey.ts"
import { ApiKeys } from "../../src/ports/ApiKeys.ts"
import { Access } from "../../src/server/Access.ts"
import { defaults } from "../../src/server/ServerSettings.ts"
import { ask, get, port, post, problemOf, served } from "./support.ts"

const idOf = { read: "readreadread", write: "writewritewr", admin: "adminadminad" } as const
const keyOf = (scope: Scope) => text(idOf[scope], `secret-of-${scope}`)
const kept = (scope: Scope, more: Partial<ApiKey> = {}): ApiKey => ({
  id: idOf[scope],
  name: scope,
  scope,
  sha256: createHash("sha256").update(keyOf(scope)).digest("hex"),
  createdAt: 0,
  expiresAt: null,
  ...more
})

/** Keys that a test can change while the service runs. */
const keyring = (...keys: ReadonlyArray<ApiKey>) => {
  const known = new Map(keys.map((key) => [key.id, key]))
  return {
    known,
    layer: Layer.succeed(ApiKeys, { isLocked: () => true, find: (id) => known.get(id ?? "") })
  }
}

const everyScope = keyring(kept("read"), kept("write"), kept("admin"))
const locked = served().pipe(Layer.provide(everyScope.layer))
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
const live = <A, E>(effect: Effect.Effect<A, E, Layer.Success<typeof locked>>, layer = locked) =>
  Effect.provide(effect, layer)

const unknownTask = "0198c0de-0000-7000-8000-00000000ffff"
const json = { "content-type": "application/json" }

/** What needs which scope, and what it answers to whoever has it. */
const asked = [
  ["GET", "/api/v1/tasks", "read", 200],
  ["HEAD", "/api/v1/tasks", "read", 200],
  ["GET", `/api/v1/tasks/${unknownTask}`, "read", 404],
  ["GET", `/api/v1/tasks/${unknownTask}/why`, "read", 404],
  ["GET", "/api/v1/queue", "read", 200],
  ["GET", "/api/v1/schedules", "read", 200],
  ["GET", "/api/v1/types", "read", 200],
  ["GET", "/openapi.json", "read", 200],
  ["GET", "/docs", "read", 200],
  ["GET", "/metrics", "read", 200],
  ["GET", "/nope", "read", 404],
  ["PATCH", "/api/v1/tasks", "read", 405],
  ["POST", "/api/v1/tasks", "write", 201],
  ["POST", "/api/v1/tasks/bulk", "write", 201],
  ["POST", `/api/v1/tasks/${unknownTask}/cancel`, "write", 404],
  ["POST", `/api/v1/tasks/${unknownTask}/retry`, "write", 404],
  ["DELETE", `/api/v1/tasks/${unknownTask}`, "write", 404],
  ["POST", "/api/v1/tasks/actions/cancel?type=x", "write", 400],
  ["POST", "/api/v1/queue/pause", "admin", 200],
  ["POST", "/api/v1/queue/resume", "admin", 200],
  ["PUT", "/api/v1/queue/limits", "admin", 200],
  ["PUT", "/api/v1/schedules/x", "admin", 201],
  ["DELETE", "/api/v1/schedules/x", "admin", 204]
] as const
const bodies: Readonly<Record<string, object>> = {
  "/api/v1/tasks": { content: "x" },
  "/api/v1/tasks/bulk": { tasks: [{ content: "x" }] },
  "/api/v1/tasks/actions/cancel?type=x": {},
  "/api/v1/queue/limits": {},
  "/api/v1/schedules/x": { every: "1 minute", task: { content: "x" } }
}

describe("a service with keys", () => {
  it.live("lets nobody in without one, and each as far as its scope goes", () =>
    live(
      Effect.gen(function* () {
        for (const [method, path, needed, status] of asked) {
          const body = method === "POST" || method === "PUT" ? bodies[path] : undefined
          const send = (headers: Readonly<Record<string, string>>) =>
            ask({
              method,
              path,
              headers: body === undefined ? headers : { ...json, ...headers },
              ...(body === undefined ? {} : { body: JSON.stringify(body) })
            })
          const what = `${method} ${path}`
          const nobody = yield* send({})
          assert.strictEqual(nobody.status, 401, what)
          assert.strictEqual(nobody.headers["www-authenticate"], `Bearer realm="venom"`)
          if (method !== "HEAD") assert.strictEqual((yield* problemOf(nobody)).title, "A key is needed")
          for (const scope of ["read", "write", "admin"] as const) {
            const isEnough = ["read", "write", "admin"].indexOf(scope) >= ["read", "write", "admin"].indexOf(needed)
            assert.strictEqual((yield* send(bearer(keyOf(scope)))).status, isEnough ? status : 403, `${what} ${scope}`)
          }
        }
      })
    )
  )

  it.live("answers probes without a key", () =>
    live(
      Effect.gen(function* () {
        assert.strictEqual((yield* get("/health/live")).status, 200)
        assert.strictEqual((yield* get("/health/ready")).status, 200)
      })
    )
  )

  it.live("knows no key but its own", () =>
    live(
      Effect.gen(function* () {
        const good = keyOf("admin")
        const forged = [
          "",
          "Bearer",
          "Bearer ",
          good,
          `Basic ${good}`,
          `Bearer ${good.slice(0, -1)}`,
          `Bearer ${good}x`,
          `Bearer ${good.toUpperCase()}`,
          `Bearer ${keyOf("read").replace(idOf.read, idOf.admin)}`,
          `Bearer ${kept("admin").sha256}`,
          `Bearer ${text("unknownunkno", "secret-of-admin")}`,
          `Bearer ${good} ${good}`,
          `Bearer ${good}, Bearer ${good}`,
          `Bearer __proto__`,
          `Bearer ${"x".repeat(8000)}`
        ]
        for (const authorization of forged) {
          const answer = yield* get("/api/v1/tasks", { authorization })
          assert.strictEqual(answer.status, 401, authorization.slice(0, 80))
          const submitted = yield* post(`{"content":"a"}`, { authorization })
          assert.strictEqual(submitted.status, 401, authorization.slice(0, 80))
        }
        assert.strictEqual((yield* get("/api/v1/tasks", { authorization: `bEARER  ${good} ` })).status, 200)
        assert.strictEqual((yield* get("/api/v1/tasks", bearer(good))).text, "[]")
      })
    )
  )

  it.live("notices that a key was revoked", () => {
    const ring = keyring(kept("write"))
    return live(
      Effect.gen(function* () {
        assert.strictEqual((yield* post(`{"content":"a"}`, bearer(keyOf("write")))).status, 201)
        ring.known.clear()
        assert.strictEqual((yield* post(`{"content":"a"}`, bearer(keyOf("write")))).status, 401)
      }),
      served().pipe(Layer.provide(ring.layer))
    )
  })

  it.live("takes a key in place of a key only in exchange, and the session is bound to it", () => {
    const ring = keyring(kept("write"))
    return live(
      Effect.gen(function* () {
        const login = (key: string, headers: Readonly<Record<string, string>> = {}) =>
          ask({
            method: "POST",
            path: "/api/v1/session",
            body: JSON.stringify({ key }),
            headers: { ...json, ...headers }
          })
        assert.strictEqual((yield* login("wrong")).status, 401)
        assert.strictEqual((yield* login(keyOf("write"), { origin: "https://evil.example" })).status, 403)
        const begun = yield* login(keyOf("write"))
        assert.strictEqual(begun.status, 204)
        const [cookie = ""] = begun.headers["set-cookie"] ?? []
        assert.match(cookie, /^venom_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/)
        const secure = yield* login(keyOf("write"), { "x-forwarded-proto": "https" })
        assert.match(secure.headers["set-cookie"]?.[0] ?? "", /; Secure$/)

        const session = { cookie: `theme=dark; ${cookie.split(";")[0]}; a=b` }
        const own = { origin: `http://127.0.0.1:${yield* port}`, host: `127.0.0.1:${yield* port}` }
        assert.strictEqual((yield* get("/api/v1/tasks", session)).status, 200)
        assert.include((yield* get("/api/v1/session", session)).text, `"scope":"write"`)
        assert.strictEqual((yield* get("/api/v1/session")).status, 401)
        // a form of another page could send the cookie if a browser let it
        assert.strictEqual((yield* post(`{"content":"a"}`, session)).status, 403)
        assert.strictEqual((yield* post(`{"content":"a"}`, { ...session, "sec-fetch-site": "same-site" })).status, 403)
        assert.strictEqual((yield* post(`{"content":"a"}`, { ...session, ...own })).status, 201)
        assert.strictEqual(
          (yield* post(`{"content":"a"}`, { ...session, "sec-fetch-site": "same-origin" })).status,
          201
        )
        const pause = { method: "POST", path: "/api/v1/queue/pause", headers: { ...session, ...own } }
        assert.strictEqual((yield* ask(pause)).status, 403)
        // what is in the cookie is no key, and a wrong key is not mended by a session
        const inCookie = cookie.slice("venom_session=".length, cookie.indexOf(";"))
        assert.strictEqual((yield* get("/api/v1/tasks", bearer(inCookie))).status, 401)
        assert.strictEqual((yield* get("/api/v1/tasks", { ...session, ...bearer("wrong") })).status, 401)

        const key = ring.known.get(idOf.write)
        ring.known.clear()
        assert.strictEqual((yield* get("/api/v1/tasks", session)).status, 401)
        if (key !== undefined) ring.known.set(key.id, key)
        assert.strictEqual((yield* get("/api/v1/tasks", session)).status, 200)
        const ended = yield* ask({ method: "DELETE", path: "/api/v1/session", headers: session })
        assert.match(ended.headers["set-cookie"]?.[0] ?? "", /^venom_session=; .*Max-Age=0/)
        assert.strictEqual((yield* get("/api/v1/tasks", session)).status, 401)
      }),
      served().pipe(Layer.provide(ring.layer))
    )
  })
})

describe("time", () => {
  const access = (...keys: ReadonlyArray<ApiKey>) => Access.layer.pipe(Layer.provide(keyring(...keys).layer))

  it.effect("ends a key", () =>
    Effect.gen(function* () {
      const { scopeOf } = yield* Access
      yield* TestClock.adjust(Duration.millis(999))
      assert.strictEqual(scopeOf(bearer(keyOf("read"))), "read")
      yield* TestClock.adjust(Duration.millis(1))
      assert.isUndefined(scopeOf(bearer(keyOf("read"))))
    }).pipe(Effect.provide(access(kept("read", { expiresAt: 1000 }))))
  )

  it.effect("ends a session after 12 hours, and with its key", () =>
    Effect.gen(function* () {
      const { begin, scopeOf } = yield* Access
      const cookie = begin(keyOf("read"), false) ?? ""
      const short = begin(keyOf("write"), false) ?? ""
      assert.strictEqual(scopeOf({ cookie: short }), "write")
      yield* TestClock.adjust(Duration.hours(2))
      assert.isUndefined(scopeOf({ cookie: short }))
      yield* TestClock.adjust(Duration.millis(Duration.toMillis(Duration.hours(10)) - 1))
      assert.strictEqual(scopeOf({ cookie }), "read")
      yield* TestClock.adjust(Duration.millis(1))
      assert.isUndefined(scopeOf({ cookie }))
    }).pipe(Effect.provide(access(kept("read"), kept("write", { expiresAt: Duration.toMillis(Duration.hours(2)) }))))
  )

  it.effect("makes room for new sessions: the oldest go first, of the same key", () =>
    Effect.gen(function* () {
      const { begin, scopeOf } = yield* Access
      const first = begin(keyOf("admin"), false) ?? ""
      const cookies = Array.from({ length: 101 }, () => begin(keyOf("read"), false) ?? "")
      assert.isUndefined(scopeOf({ cookie: cookies[0] }))
      assert.strictEqual(scopeOf({ cookie: cookies[1] }), "read")
      assert.strictEqual(scopeOf({ cookie: cookies[100] }), "read")
      assert.strictEqual(scopeOf({ cookie: first }), "admin")
    }).pipe(Effect.provide(access(kept("read"), kept("admin"))))
  )

  it.effect("makes room for new sessions of many keys: the oldest go first", () => {
    const many = Array.from({ length: 11 }, (_, n) => ({ ...kept("read"), id: `key${n}`.padEnd(12, "x") }))
    const all = many.map(({ id, ...key }) => {
      const secret = text(id, "secret")
      return { key: { ...key, id, sha256: createHash("sha256").update(secret).digest("hex") }, secret }
    })
    return Effect.gen(function* () {
      const { begin, scopeOf } = yield* Access
      const cookies = all.flatMap(({ secret }) => Array.from({ length: 91 }, () => begin(secret, false) ?? ""))
      assert.lengthOf(cookies, 1001)
      assert.isUndefined(scopeOf({ cookie: cookies[0] }))
      assert.strictEqual(scopeOf({ cookie: cookies[1] }), "read")
      assert.strictEqual(scopeOf({ cookie: cookies[1000] }), "read")
    }).pipe(Effect.provide(access(...all.map(({ key }) => key))))
  })
})

describe("a read-only service", () => {
  it.live("changes nothing by HTTP, whoever asks", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* post(`{"content":"a"}`)).status, 403)
      assert.strictEqual((yield* ask({ method: "POST", path: "/api/v1/queue/pause" })).status, 403)
      assert.strictEqual((yield* get("/api/v1/tasks")).text, "[]")
      assert.deepStrictEqual(JSON.parse((yield* get("/api/v1/session")).text), {
        scope: "admin",
        locked: false,
        read_only: true,
        environment: "test"
      })
    }).pipe(Effect.provide(served({ server: { ...defaults, readOnly: true, environment: "test" } })))
  )
})
