import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Layer } from "effect"
import * as TestClock from "effect/testing/TestClock"
import { type ApiKey, text } from "../../src/domain/ApiKey.ts"
import { ApiKeys } from "../../src/ports/ApiKeys.ts"
import * as RequestQuota from "../../src/server/RequestQuota.ts"
import { json, refused, tasks } from "./attacks.ts"
import { ask, get, post, problemOf, served } from "./support.ts"

const keyOf = (name: string) => text(name.padEnd(12, "x"), `secret-of-${name}`)
const kept = (name: string): ApiKey => ({
  id: name.padEnd(12, "x"),
  name,
  scope: "write",
  sha256: createHash("sha256").update(keyOf(name)).digest("hex"),
  createdAt: 0,
  expiresAt: null
})
const ring = new Map(["one", "two"].map((name) => [kept(name).id, kept(name)]))
const keys = Layer.succeed(ApiKeys, { isLocked: () => true, find: (id) => ring.get(id ?? "") })
const bearer = (name: string) => ({ authorization: `Bearer ${keyOf(name)}` })

const limited = (requestsPerKey: number) => served({ server: { requestsPerKey } })

describe("A key with a limit of requests", () => {
  it.effect("is told when to ask again, and may then", () =>
    Effect.gen(function* () {
      const submit = post(`{"content":"a"}`, bearer("one"))
      // the short way, a body that is not plain, the ordinary way, and what is refused later on
      const ways = [
        submit,
        post(`{"content":"a","priority":1}`, bearer("one")),
        get(`${tasks}?limit=1`, bearer("one")),
        get("/nope", bearer("one"))
      ]
      for (const way of ways) assert.notStrictEqual((yield* way).status, 429)
      for (const way of ways) {
        const answer = yield* way
        assert.strictEqual(answer.headers["retry-after"], "1")
        const problem = yield* refused(answer, "too many", [429])
        assert.strictEqual(problem.type, "urn:venom:problem:too-many-requests")
        assert.include(problem.detail, "4 things a second")
      }
      yield* TestClock.adjust(Duration.millis(250))
      assert.strictEqual((yield* submit).status, 201)
      assert.strictEqual((yield* submit).status, 429)
      yield* TestClock.adjust(Duration.hours(1))
      const answers = yield* Effect.forEach([...ways, ...ways], (way) => way)
      assert.deepStrictEqual(
        answers.map(({ status }) => status),
        [201, 201, 200, 404, 429, 429, 429, 429]
      )
    }).pipe(Effect.provide(limited(4).pipe(Layer.provide(keys))))
  )

  it.effect("keeps no other key from asking, nor a probe, nor a login", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* get(tasks, bearer("one"))).status, 200)
      assert.strictEqual((yield* get(tasks, bearer("one"))).status, 429)
      assert.strictEqual((yield* get(tasks, bearer("two"))).status, 200)
      assert.strictEqual((yield* get("/health/ready", bearer("one"))).status, 200)
      const login = { method: "POST", path: "/api/v1/session", headers: json, body: `{"key":"${keyOf("one")}"}` }
      assert.strictEqual((yield* ask(login)).status, 204)
    }).pipe(Effect.provide(limited(1).pipe(Layer.provide(keys))))
  )

  it.effect("is the same key in a session", () =>
    Effect.gen(function* () {
      const login = { method: "POST", path: "/api/v1/session", headers: json, body: `{"key":"${keyOf("one")}"}` }
      const cookies = yield* Effect.forEach([1, 2], () =>
        Effect.map(ask(login), ({ headers }) => String(headers["set-cookie"]?.[0]).split(";")[0] ?? "")
      )
      assert.strictEqual((yield* get(tasks, { cookie: cookies[0] ?? "" })).status, 200)
      assert.strictEqual((yield* get(tasks, { cookie: cookies[1] ?? "" })).status, 429)
      assert.strictEqual((yield* get(tasks, bearer("one"))).status, 429)
    }).pipe(Effect.provide(limited(1).pipe(Layer.provide(keys))))
  )

  it.effect("is not used up by those who have none", () =>
    Effect.gen(function* () {
      for (const authorization of ["", "Bearer x", `Bearer ${keyOf("one")}x`]) {
        for (let count = 0; count < 5; count++) {
          assert.strictEqual((yield* get(tasks, { authorization })).status, 401)
        }
      }
      assert.strictEqual((yield* get(tasks, bearer("one"))).status, 200)
    }).pipe(Effect.provide(limited(1).pipe(Layer.provide(keys))))
  )

  it.effect("does nothing of what is one too many", () =>
    Effect.gen(function* () {
      yield* post(`{"content":"first"}`, bearer("one"))
      for (const content of ["second", "third"]) yield* post(`{"content":"${content}"}`, bearer("one"))
      const { text } = yield* get(tasks, bearer("two"))
      assert.deepStrictEqual(text.match(/"content":"\w+"/g), [`"content":"first"`])
    }).pipe(Effect.provide(limited(1).pipe(Layer.provide(keys))))
  )
})

describe("Without keys", () => {
  it.effect("all who ask share the limit", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* get(tasks)).status, 200)
      const answer = yield* get(tasks)
      assert.strictEqual(answer.status, 429)
      yield* problemOf(answer)
    }).pipe(Effect.provide(limited(1)))
  )
})

describe("The count of requests", () => {
  const quota = (perSecond: number) => Effect.map(Clock.Clock, (clock) => RequestQuota.make(perSecond, clock))

  it.effect("lets through what a second brings at once, and then no more than the rate, however long", () =>
    Effect.gen(function* () {
      for (const perSecond of [1, 3, 7, 1000]) {
        const { wait } = yield* quota(perSecond)
        let passed = 0
        for (let step = 0; step < 1000; step++) {
          for (let tries = 0; tries < 3; tries++) if (wait("a", {}) === undefined) passed++
          yield* TestClock.adjust(Duration.millis(10))
        }
        assert.isAtMost(passed, perSecond * 11)
        assert.isAtLeast(passed, Math.min(perSecond * 10, 2990))
      }
    })
  )

  it.effect("counts a request once", () =>
    Effect.gen(function* () {
      const { wait } = yield* quota(2)
      const request = {}
      for (let count = 0; count < 5; count++) assert.isUndefined(wait("a", request))
      assert.isUndefined(wait("a", {}))
      assert.strictEqual(wait("a", {}), 1)
    })
  )

  it.effect("of holders that are gone takes no memory", () =>
    Effect.gen(function* () {
      const { holders, wait } = yield* quota(2)
      for (let second = 0; second < 200; second++) {
        for (let holder = 0; holder < 1000; holder++) wait(`${second} ${holder}`, {})
        yield* TestClock.adjust(Duration.seconds(1))
      }
      assert.isBelow(holders(), 3000)
      assert.isUndefined(wait("0 0", {}))
    })
  )
})
