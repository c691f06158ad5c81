import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { serve as receive } from "../adapters/http/servers.ts"
import { collector } from "../otlp/Collector.ts"
import { attributesOf } from "../otlp/Otlp.ts"
import { directory, serve, until } from "./support/Service.ts"
import { submittedIn } from "./support/Wire.ts"

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
const spanId = "00f067aa0ba902b7"
const traceparent = `00-${traceId}-${spanId}-01`

describe("with a collector", { concurrent: true }, () => {
  it.live("the trace of a submit goes on over the queue, to the service that does the work", () =>
    Effect.gen(function* () {
      const service = yield* receive((response) => response.end("done"))
      const receiver = yield* collector()
      const venom = yield* serve(yield* directory, {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        OTEL_EXPORTER_OTLP_HEADERS: "x-team=a%20b,x-key=secret-of-collector",
        OTEL_SERVICE_NAME: "orders",
        OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
        VENOM_RUNNER: "http",
        VENOM_HTTP_URL: service.url,
        VENOM_HTTP_ALLOW_PRIVATE: "true"
      })
      const id = yield* Effect.flatMap(
        venom.ask({
          method: "POST",
          path: "/api/v1/tasks",
          headers: { "content-type": "application/json", traceparent },
          body: JSON.stringify({ content: "secret content", type: "mail" })
        }),
        submittedIn
      )
      yield* venom.reaches(id, "COMPLETED")
      const spans = yield* until(
        "both spans",
        Effect.sync(() => receiver.spans),
        (spans) => spans.some(({ name }) => name === "attempt mail") && spans.some(({ parentSpanId }) => parentSpanId)
      )
      const server = spans.find(({ name }) => name === "POST /api/v1/tasks")
      assert.strictEqual(server?.traceId, traceId)
      assert.strictEqual(server?.parentSpanId, spanId)
      assert.strictEqual(server?.kind, "SPAN_KIND_SERVER")

      const attempt = spans.find(({ name }) => name === "attempt mail")
      assert.strictEqual(attempt?.kind, "SPAN_KIND_CONSUMER")
      assert.deepStrictEqual(attempt?.links, [{ traceId, spanId }])
      assert.notStrictEqual(attempt?.traceId, traceId)
      assert.strictEqual(attempt?.parentSpanId, undefined)
      const told = attributesOf(attempt?.attributes)
      assert.deepInclude(told, {
        "messaging.system": "venom",
        "messaging.destination.name": "mail",
        "messaging.message.id": id,
        "venom.attempt": "1",
        "venom.outcome": "completed"
      })

      const { headers } = yield* service.next
      assert.strictEqual(headers["traceparent"], `00-${attempt?.traceId}-${attempt?.spanId}-01`)

      const records = yield* until(
        "logs",
        Effect.sync(() => receiver.records),
        (records) => records.some(({ body }) => body.stringValue?.startsWith("Venom ") === true)
      )
      assert.isNotEmpty(records)
      for (const resource of receiver.resources) {
        assert.deepInclude(resource, { "service.name": "orders", "deployment.environment.name": "test" })
      }
      for (const headers of receiver.headers) assert.strictEqual(headers["x-team"], "a b")
      assert.deepStrictEqual(receiver.wrong, [])
      assert.notInclude(receiver.raw(), "secret")
      assert.notInclude(venom.stderr(), "secret")
      const ended = yield* venom.stop
      assert.strictEqual(ended.code, 0)
    })
  )
})
