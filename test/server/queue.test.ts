import { assert, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { ask, type Asked, get, served, submit } from "./support.ts"

const json = { "content-type": "application/json" }
const asked = (method: string, path: string, body?: unknown): Asked => ({
  method,
  path: `/api/v1/queue${path}`,
  ...(body === undefined ? {} : { headers: json, body: JSON.stringify(body) })
})
const told = (request: Asked) =>
  Effect.map(ask(request), ({ status, text }): readonly [number, unknown] => [status, JSON.parse(text)])

const State = Schema.fromJsonString(
  Schema.Struct({
    paused: Schema.Boolean,
    counts: Schema.Record(Schema.String, Schema.Int),
    types: Schema.Array(
      Schema.Struct({
        type: Schema.String,
        paused: Schema.Boolean,
        counts: Schema.Record(Schema.String, Schema.Int)
      })
    ),
    oldest_due: Schema.NullOr(Schema.String),
    running: Schema.Int,
    limit: Schema.Int
  })
)
const state = Effect.flatMap(get("/api/v1/queue"), ({ text }) => Schema.decodeUnknownEffect(State)(text))

// one runs, for ever
layer(served(), { excludeTestServices: true })("The queue over HTTP", (it) => {
  it.effect("is paused and resumed, all of it or one type, and says so", () =>
    Effect.gen(function* () {
      assert.include((yield* told(asked("POST", "/pause")))[1], { paused: true })
      yield* submit({ content: "a", type: "mail" })
      yield* submit({ content: "b", type: "sms" })
      const paused = yield* state
      assert.deepStrictEqual([paused.counts["PENDING"], paused.running, paused.limit], [2, 0, 64])
      assert.isString(paused.oldest_due)
      yield* told(asked("POST", "/pause", { type: "mail" }))
      yield* told(asked("POST", "/resume", {}))
      let now = yield* state
      for (; now.running === 0; now = yield* state) yield* Effect.yieldNow
      assert.deepStrictEqual(
        now.types.map(({ counts, paused, type }) => [type, paused, counts["PENDING"], counts["PROCESSING"]]),
        [
          ["mail", true, 1, 0],
          ["sms", false, 0, 1]
        ]
      )
      yield* told(asked("POST", "/resume", { type: "mail" }))
      for (; now.running === 1; now = yield* state) yield* Effect.yieldNow
      assert.strictEqual(now.running, 2)
    })
  )

  it.effect("has limits that are set all together, and keeps what is paused", () =>
    Effect.gen(function* () {
      const limits = {
        concurrency: 9,
        types: { mail: { concurrency: 3, rate: { limit: 10, per: "1 minute" } } },
        keys: { "tenant-7": { concurrency: 5 } },
        each_key: 2
      }
      yield* told(asked("POST", "/pause", { type: "sms" }))
      assert.deepStrictEqual(yield* told(asked("PUT", "/limits", limits)), [200, limits])
      assert.deepStrictEqual(yield* told(asked("GET", "/limits")), [200, limits])
      const { limit, types } = yield* state
      assert.deepStrictEqual([limit, types.find(({ type }) => type === "sms")?.paused], [9, true])
      assert.deepStrictEqual(yield* told(asked("PUT", "/limits", {})), [200, { types: {}, keys: {} }])
      assert.strictEqual((yield* state).types.find(({ type }) => type === "sms")?.paused, true)
    })
  )

  it.effect("takes nothing else", () =>
    Effect.gen(function* () {
      for (const [method, path, body, wrong] of [
        ["POST", "/pause", { type: "" }, "type"],
        ["POST", "/pause", { types: ["a"] }, "types"],
        ["POST", "/resume", [], ""],
        ["PUT", "/limits", { concurrency: -1 }, "concurrency"],
        ["PUT", "/limits", { types: { mail: { paused: true } } }, "types.mail.paused"],
        ["PUT", "/limits", { types: { mail: { rate: { limit: 0, per: "1 second" } } } }, "types.mail.rate.limit"],
        ["PUT", "/limits", { types: { mail: { rate: { limit: 1, per: "soon" } } } }, "types.mail.rate.per"],
        ["PUT", "/limits", { keys: { a: 1 } }, "keys.a"]
      ] as const) {
        const { status, text } = yield* ask(asked(method, path, body))
        const { errors } = yield* Schema.decodeUnknownEffect(Problem)(text)
        assert.deepStrictEqual([status, errors.map(({ path }) => path)], [400, [wrong]])
      }
    })
  )
})

const Problem = Schema.fromJsonString(
  Schema.Struct({ errors: Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String })) })
)
