import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { everything } from "../support/everything.ts"
import { serve as receive } from "../adapters/http/servers.ts"
import { collector } from "../otlp/Collector.ts"
import { attributesOf } from "../otlp/Otlp.ts"
import { directory, serve, until } from "./support/Service.ts"
import { Venom } from "./support/Venom.ts"
import { submittedIn } from "./support/Wire.ts"

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
const spanId = "00f067aa0ba902b7"
const traceparent = `00-${traceId}-${spanId}-01`

const later = traceparent.replace("b7-", "b8-").replace("00-", "cc-")

/** Runs a command of the program to its end. */
const ran = (...args: ReadonlyArray<string>) =>
  Effect.map(
    Effect.promise(() => new Venom({ args }).ended()),
    ({ code, stderr }) => assert.strictEqual(code, 0, stderr)
  )

describe("with a collector", { concurrent: true }, () => {
  it.live.each(["http/protobuf", "http/json"])(
    "the trace of a submit goes on to the service that does the work, by %s",
    (protocol) =>
      Effect.gen(function* () {
        const service = yield* receive((response) => response.end("done"))
        const receiver = yield* collector()
        const venom = yield* serve(yield* directory, {
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
          OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
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
        const headers = { authorization: "Bearer secret-of-client", cookie: "venom_session=secret-of-page" }
        yield* venom.ask({ path: "/api/v1/tasks?q=secret&limit=1", headers })
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

        const { headers: sent } = yield* service.next
        assert.strictEqual(sent["traceparent"], `00-${attempt?.traceId}-${attempt?.spanId}-01`)

        const records = yield* until(
          "logs",
          Effect.sync(() => receiver.records),
          (records) => records.some(({ body }) => body.stringValue?.startsWith("Venom ") === true)
        )
        assert.isNotEmpty(records)
        for (const resource of receiver.resources) {
          assert.deepInclude(resource, { "service.name": "orders", "deployment.environment.name": "test" })
        }
        const contentType = protocol === "http/json" ? "application/json" : "application/x-protobuf"
        for (const headers of receiver.headers)
          assert.deepInclude(headers, { "x-team": "a b", "content-type": contentType })
        assert.deepStrictEqual(receiver.wrong, [])
        yield* venom.ready
        const ended = yield* venom.stop
        assert.strictEqual(ended.code, 0)
        assert.isDefined(receiver.spans.find(({ name }) => name === "GET /api/v1/tasks"))
        assert.notInclude(JSON.stringify(receiver.spans), "/health")
        assert.notInclude(receiver.raw(), "secret")
        assert.notInclude(venom.stderr(), "secret")
      })
  )

  it.live("a collector that is not there is told of once, and the end does not wait for it", () =>
    Effect.gen(function* () {
      const venom = yield* serve(yield* directory, {
        // nothing listens there
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
        VENOM_SIMULATED_DURATION: "0 millis"
      })
      const id = yield* venom.submit("hello")
      yield* venom.reaches(id, "COMPLETED")
      yield* venom.heard(/^Telemetry cannot be sent/)
      const { code, stderr } = yield* venom.stop
      assert.strictEqual(code, 0)
      assert.lengthOf(stderr.match(/Telemetry cannot be sent/g) ?? [], 1)
    })
  )

  it.live("a task keeps its trace over a crash, and over an export to another directory", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const before = yield* serve(data)
      const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
        before.ask({
          method: "POST",
          path,
          headers: { "content-type": "application/json", ...headers },
          body: JSON.stringify(body)
        })
      yield* post("/api/v1/queue/pause", {})
      const known = yield* Effect.flatMap(post("/api/v1/tasks", { content: "" }, { traceparent }), submittedIn)
      const wrong = { traceparent: traceparent.toUpperCase() }
      const unknown = yield* Effect.flatMap(post("/api/v1/tasks", { content: "" }, wrong), submittedIn)
      const once = { traceparent: later, "idempotency-key": "once" }
      const keyed = yield* Effect.flatMap(post("/api/v1/tasks", { content: "" }, once), submittedIn)
      const bulk = yield* post("/api/v1/tasks/bulk", { tasks: [{ content: "a" }, { content: "b" }] }, { traceparent })
      assert.strictEqual(bulk.status, 201)
      yield* before.kill

      const place = yield* directory
      yield* ran("export", `${place}/all`, "--data-dir", data)
      yield* ran("import", `${place}/all`, "--data-dir", `${place}/data`)
      const receiver = yield* collector()
      const venom = yield* serve(`${place}/data`, {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        VENOM_RUNNER: "command",
        VENOM_COMMAND: "sh -c 'printf %s $TRACEPARENT'"
      })
      yield* venom.ask({ method: "POST", path: "/api/v1/queue/resume" })
      const tasks = yield* venom.settled
      yield* venom.stop
      const attempts = receiver.spans.filter(({ kind }) => kind === "SPAN_KIND_CONSUMER")
      const linked = (id: string) => {
        const attempt = attempts.find(({ attributes }) => attributesOf(attributes)["messaging.message.id"] === id)
        const { result } = tasks.find((task) => task.id === id) ?? {}
        assert.strictEqual(result, `00-${attempt?.traceId}-${attempt?.spanId}-01`)
        return attempt?.links
      }
      assert.deepStrictEqual(linked(known), [{ traceId, spanId }])
      assert.deepStrictEqual(linked(keyed), [{ traceId, spanId: spanId.replace("b7", "b8") }])
      assert.strictEqual(linked(unknown), undefined)
      const inBulk = tasks.filter(({ content }) => content !== "")
      assert.lengthOf(inBulk, 2)
      for (const { id } of inBulk) assert.deepStrictEqual(linked(id), [{ traceId, spanId }])
    })
  )

  it.live("a program that submits from the command line hands on the trace that it was started in", () =>
    Effect.gen(function* () {
      const venom = yield* serve(yield* directory)
      const submit = (env: Readonly<Record<string, string>>) =>
        Effect.map(
          Effect.promise(() => new Venom({ args: ["submit", "x", "--url", venom.url], env }).ended()),
          ({ stdout }) => stdout.trim()
        )
      const traced = yield* submit({ TRACEPARENT: traceparent })
      const alone = yield* submit({})
      const found = yield* venom.ask({ path: `/api/v1/tasks/${traced}` })
      assert.include(found.text, `"traceparent":"${traceparent}"`)
      const other = yield* venom.ask({ path: `/api/v1/tasks/${alone}` })
      assert.notInclude(other.text, "traceparent")
    })
  )
})

describe("with a collector that is slow", () => {
  it.live.skipIf(!everything)(
    "a collector that never answers holds nothing up, and takes a bounded part of what there would be",
    () =>
      Effect.gen(function* () {
        const receiver = yield* collector("never answers")
        const venom = yield* serve(yield* directory, {
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
          VENOM_SIMULATED_DURATION: "0 millis"
        })
        for (let n = 0; n < 12; n++) {
          const tasks = Array.from({ length: 1000 }, () => ({ content: "" }))
          const { status } = yield* venom.ask({
            method: "POST",
            path: "/api/v1/tasks/bulk",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ tasks })
          })
          assert.strictEqual(status, 201)
        }
        yield* venom.settled
        // of 12,000 spans those that are on their way, and those that wait for their turn
        assert.isAtLeast(receiver.mostOpen(), 1)
        assert.isAtMost(receiver.mostOpen(), 10)
        const begun = performance.now()
        const { code } = yield* venom.stop
        assert.strictEqual(code, 0)
        assert.isBelow(performance.now() - begun, 10_000)
      }),
    180_000
  )
})
