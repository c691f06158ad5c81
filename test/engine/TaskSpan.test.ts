import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Option, type Tracer } from "effect"
import * as Trace from "../../src/domain/Trace.ts"
import { permanent, retryable } from "../../src/domain/TaskError.ts"
import { Orchestrator } from "../../src/engine/Orchestrator.ts"
import type { TaskRunner } from "../../src/ports/TaskRunner.ts"
import { layerTest, TestQueue } from "../../src/testing.ts"
import { recorder } from "../support/Spans.ts"

const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`

/** A queue in an application that traces: its spans, in the order in which they began. */
const traced = (run: TaskRunner["Service"]["run"]) => {
  const { layer, spans } = recorder()
  return { spans, layer: Layer.provideMerge(layerTest({ run }), layer) }
}

const outcomes = (spans: ReadonlyArray<Tracer.NativeSpan>) =>
  spans.map(({ attributes, status }) => [
    attributes.get("venom.attempt"),
    attributes.get("venom.outcome"),
    status._tag === "Ended" && Exit.isFailure(status.exit) ? "failed" : status._tag
  ])

describe("the span of an attempt", () => {
  it.effect("is a root that links to the span of the submit, and what the runner does is below it", () => {
    const { layer, spans } = traced(() => Effect.as(Effect.withSpan(Effect.void, "work"), "done"))
    return Effect.gen(function* () {
      const { submit } = yield* Orchestrator
      const queue = yield* TestQueue
      const [outer, { id }] = yield* Effect.withSpan(
        Effect.all([Effect.currentSpan, submit({ content: "hidden", type: "mail" })]),
        "app"
      )
      yield* queue.drain
      const [attempt, work] = spans.filter(({ name }) => name !== "app")
      assert.isDefined(attempt)
      assert.strictEqual(attempt.name, "attempt mail")
      assert.isTrue(Option.isNone(attempt.parent))
      assert.deepStrictEqual(
        attempt.links.map(({ span }) => [span.traceId, span.spanId]),
        [[outer.traceId, outer.spanId]]
      )
      assert.strictEqual(attempt.attributes.get("messaging.message.id"), id)
      assert.strictEqual(Option.getOrUndefined(work?.parent ?? Option.none())?.spanId, attempt.spanId)
      assert.deepStrictEqual(outcomes([attempt]), [[1, "completed", "Ended"]])
    }).pipe(Effect.provide(layer))
  })

  it.effect("there is one for each attempt, which tells how it ended and nothing of what was said", () => {
    const { layer, spans } = traced(({ attempt }) =>
      Effect.fail(attempt === 1 ? retryable("secret words") : permanent("secret words"))
    )
    return Effect.gen(function* () {
      const { submit } = yield* Orchestrator
      yield* submit({ content: "secret words" })
      yield* (yield* TestQueue).drain
      assert.deepStrictEqual(outcomes(spans), [
        [1, "error", "failed"],
        [2, "error", "failed"]
      ])
      for (const { attributes, events, status } of spans) {
        assert.notInclude(JSON.stringify([...attributes, ...events, status], text), "secret words")
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("is not recorded where the submit was not", () => {
    const { layer, spans } = traced(() => Effect.succeed(""))
    return Effect.gen(function* () {
      const { submit } = yield* Orchestrator
      const given = traceparent.replace(/01$/, "00")
      const task = yield* Effect.provideService(submit({ content: "" }), Trace.Given, given)
      assert.strictEqual(task.traceparent, given)
      yield* (yield* TestQueue).drain
      assert.deepStrictEqual(
        spans.map(({ sampled }) => sampled),
        [false]
      )
    }).pipe(Effect.provide(layer))
  })
})

describe("without a tracer", () => {
  const seen: Array<string | undefined> = []
  const layer = layerTest({ run: () => Effect.map(Trace.current, (place) => `${seen.push(place)}`) })

  it.effect("what a task came with is handed on, and spans that go nowhere are not kept", () =>
    Effect.gen(function* () {
      const { submit } = yield* Orchestrator
      const task = yield* Effect.provideService(submit({ content: "" }), Trace.Given, traceparent)
      assert.strictEqual(task.traceparent, traceparent)
      const other = yield* Effect.withSpan(submit({ content: "" }), "app")
      assert.notProperty(other, "traceparent")
      yield* (yield* TestQueue).drain
      assert.deepStrictEqual(seen, [traceparent, undefined])
    }).pipe(Effect.provide(layer))
  )
})

const text = (_: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value)
