import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Metric } from "effect"
import { echoRunner, get, served, submit } from "./support.ts"

/** A registry of its own: other tests count too. */
const service = (server = {}) =>
  served({ runner: echoRunner, server }).pipe(Layer.provideMerge(Layer.succeed(Metric.MetricRegistry, new Map())))

const value = (text: string, series: string): number | undefined => {
  const line = text.split("\n").find((one) => one.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length))
}

const untilCounted = (series: string, expected: number) =>
  Effect.gen(function* () {
    for (;;) {
      const { text } = yield* get("/metrics")
      if (value(text, series) === expected) return text
    }
  })

describe("GET /metrics", () => {
  it.live("counts what has become of tasks and requests", () =>
    Effect.gen(function* () {
      for (const type of ["mail", "mail", "sms"])
        assert.strictEqual((yield* submit({ content: "x", type })).status, 201)
      assert.strictEqual((yield* get("/nope")).status, 404)
      yield* untilCounted(`venom_tasks_finished_total{outcome="completed",type="mail"}`, 2)
      const text = yield* untilCounted(`venom_tasks_finished_total{outcome="completed",type="sms"}`, 1)
      assert.strictEqual(value(text, "venom_tasks_submitted_total"), 3)
      assert.strictEqual(value(text, `venom_attempts_total{outcome="completed",type="mail"}`), 2)
      assert.strictEqual(value(text, "venom_queue_wait_seconds_count"), 3)
      assert.strictEqual(value(text, "venom_task_run_seconds_count"), 3)
      assert.strictEqual(value(text, `venom_tasks{status="COMPLETED",type="mail"}`), 2)
      assert.strictEqual(value(text, `venom_tasks{status="PENDING",type="mail"}`), 0)
      assert.strictEqual(value(text, "venom_attempts_running"), 0)
      assert.strictEqual(value(text, "venom_queue_oldest_seconds"), 0)
      assert.strictEqual(value(text, `venom_http_requests_total{method="POST",route="/api/v1/tasks",status="201"}`), 3)
      assert.strictEqual(value(text, `venom_http_requests_total{method="any",route="none",status="404"}`), 1)
      for (const name of ["process_resident_memory_bytes", "nodejs_heap_size_used_bytes"])
        assert.isAbove(value(text, name) ?? 0, 1e6)
      assert.isDefined(value(text, "nodejs_eventloop_lag_p99_seconds"))
    }).pipe(Effect.provide(service()))
  )

  it.live("is text that Prometheus reads, each family once with its help and its type", () =>
    Effect.gen(function* () {
      const { headers, text } = yield* get("/metrics", {
        accept: "application/openmetrics-text;q=0.5,text/plain;q=0.3"
      })
      assert.strictEqual(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
      const families = text.split("\n").flatMap((line) => /^# TYPE (\S+)/.exec(line)?.[1] ?? [])
      assert.lengthOf(new Set(families), families.length)
      for (const family of families) assert.include(text, `# HELP ${family} `)
    }).pipe(Effect.provide(service()))
  )

  it.live("names a hundred types, and all others together", () =>
    Effect.gen(function* () {
      for (let n = 0; n < 103; n++) yield* submit({ content: "x", type: `type-${n}` })
      const text = yield* untilCounted(`venom_tasks_finished_total{outcome="completed",type="other"}`, 3)
      const types = new Set([...text.matchAll(/^venom_tasks\{.*type="([^"]*)"/gm)].map(([, type]) => type))
      assert.isAtMost(types.size, 101)
      assert.isTrue(types.has("other"))
    }).pipe(Effect.provide(service()))
  )
})
