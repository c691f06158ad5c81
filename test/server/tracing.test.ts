import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema } from "effect"
import { Orchestrator } from "../../src/engine/Orchestrator.ts"
import { TaskId } from "../../src/domain/Task.ts"
import { recorder } from "../support/Spans.ts"
import { get, post, served } from "./support.ts"

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
const spanId = "00f067aa0ba902b7"
const traceparent = `00-${traceId}-${spanId}-01`

const idIn = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({ task_id: TaskId })))

/** Submits with these headers; what is kept with the task. */
const kept = (headers: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const { status, text } = yield* post('{"content":"x"}', headers)
    assert.strictEqual(status, 201)
    return (yield* (yield* Orchestrator).get(idIn(text).task_id)).traceparent
  })

/** With a recorder of spans in place of a collector. */
const traced = () => {
  const { layer, spans } = recorder()
  return { spans, layer: Layer.provideMerge(served(), layer) }
}

describe("the traceparent of a submit", () => {
  const keeps = [
    ["as it came", { traceparent }, traceparent],
    [
      "also where it is not recorded",
      { traceparent: traceparent.replace(/01$/, "00") },
      traceparent.replace(/01$/, "00")
    ],
    ["on the way of rarer headers", { traceparent, "x-own": "1" }, traceparent],
    ["with an idempotency key", { traceparent, "idempotency-key": "a" }, traceparent],
    ["not where it is none", { traceparent: traceparent.toUpperCase() }, undefined],
    ["not that of another standard", { b3: `${traceId}-${spanId}-1` }, undefined],
    ["not where there is none", {}, undefined]
  ] as const

  for (const [how, headers, expected] of keeps) {
    it.live(`is kept ${how}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* kept(headers), expected)
      }).pipe(Effect.provide(served()))
    )
  }

  it.live("is kept too where an application traces; without one the span of the request stands in for it", () => {
    const { layer, spans } = traced()
    return Effect.gen(function* () {
      assert.strictEqual(yield* kept({ traceparent }), traceparent)
      const alone = yield* kept({})
      const [first, second] = spans.filter(({ kind }) => kind === "server")
      assert.strictEqual(Option.getOrUndefined(first?.parent ?? Option.none())?.spanId, spanId)
      assert.strictEqual(first?.traceId, traceId)
      assert.strictEqual(alone, `00-${second?.traceId}-${second?.spanId}-01`)
    }).pipe(Effect.provide(layer))
  })
})

describe("the span of a request", () => {
  it.live("is named by its route, and tells no header and nothing of a query", () => {
    const { layer, spans } = traced()
    return Effect.gen(function* () {
      yield* get("/api/v1/tasks?q=hidden&limit=1", {
        authorization: "Bearer hidden",
        cookie: "hidden=hidden",
        "x-own": "hidden"
      })
      yield* get("/api/v1/tasks/0198c0de-0000-7000-8000-000000000000")
      yield* get("/nowhere/hidden-not-a-route")
      yield* get("/health/live")
      yield* get("/metrics")
      const ofRequests = spans.filter(({ kind }) => kind === "server")
      const named = ofRequests.map(({ name }) => name)
      assert.deepStrictEqual(named, ["GET /api/v1/tasks", "GET /api/v1/tasks/:id", "GET"])
      const [list] = ofRequests
      assert.notInclude(JSON.stringify([...(list?.attributes ?? [])]), "hidden")
      assert.strictEqual(list?.attributes.get("http.response.status_code"), 200)
    }).pipe(Effect.provide(layer))
  })
})
