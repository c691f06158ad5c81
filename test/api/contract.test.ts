import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpServer } from "effect/http"
import { HttpApiTest } from "effect/http-api"
import { TestClock } from "effect/testing"
import { Unavailable } from "../../src/api/Problem.ts"
import { VenomApi } from "../../src/api/VenomApi.ts"
import * as MemoryStateRepository from "../../src/adapters/memory/MemoryStateRepository.ts"
import { TaskId } from "../../src/domain/Task.ts"
import { Draining } from "../../src/engine/Draining.ts"
import * as Engine from "../../src/engine/Engine.ts"
import { TaskRunner } from "../../src/ports/TaskRunner.ts"
import * as HealthHandlers from "../../src/server/HealthHandlers.ts"
import { ServiceLog } from "../../src/server/ServiceLog.ts"
import * as TasksHandlers from "../../src/server/TasksHandlers.ts"

const runner = Layer.succeed(
  TaskRunner,
  TaskRunner.of({ run: ({ content }) => Effect.as(Effect.sleep("2 seconds"), content.toUpperCase()) })
)

const handlers = Layer.mergeAll(TasksHandlers.layer, HealthHandlers.layer).pipe(
  Layer.provide(ServiceLog.layer),
  Layer.provideMerge(Engine.layer),
  Layer.provide([MemoryStateRepository.layer(), runner]),
  Layer.provide(SecureRandom.layerWebCrypto),
  Layer.provideMerge(HttpServer.layerServices)
)

const client = HttpApiTest.groups(VenomApi, ["tasks", "health"])

layer(handlers)("The contract, by the client that is made of it and with no socket", (it) => {
  it.effect("carries a task from its submission to its result", () =>
    Effect.gen(function* () {
      const { tasks } = yield* client
      yield* TestClock.setTime(Date.parse("2026-01-02T03:04:05.678Z"))
      const submitted = yield* tasks.submit({ headers: {}, payload: { content: "hello", tags: ["a"], runAt: 0 } })
      const id = submitted.body.taskId
      assert.strictEqual(submitted.body.status, "PENDING")
      assert.strictEqual(submitted.headers.location, `/api/v1/tasks/${id}`)

      yield* TestClock.adjust("1 second")
      const running = yield* tasks.get({ params: { id }, headers: {} })
      assert.strictEqual(running.body.status, "PROCESSING")
      assert.strictEqual(running.body.createdAt, Date.parse("2026-01-02T03:04:05.678Z"))
      assert.strictEqual(running.headers["retry-after"], "1")

      yield* TestClock.adjust("1 second")
      const done = yield* tasks.get({ params: { id }, headers: {} })
      assert.strictEqual(done.body.result, "HELLO")
      assert.notStrictEqual(done.headers.etag, running.headers.etag)

      const listed = yield* tasks.list({ query: { tag: "a" } })
      assert.deepStrictEqual(listed.body, [done.body])
      assert.deepStrictEqual((yield* tasks.list({ query: { status: "FAILED" } })).body, [])
    })
  )

  it.effect("gives the next page by its header", () =>
    Effect.gen(function* () {
      const { tasks } = yield* client
      for (const content of ["1", "2", "3"]) yield* tasks.submit({ headers: {}, payload: { content, type: "page" } })
      const first = yield* tasks.list({ query: { type: "page", limit: 2 } })
      assert.deepStrictEqual(
        first.body.map(({ content }) => content),
        ["3", "2"]
      )
      const cursor = yield* Schema.decodeUnknownEffect(TaskId)(/cursor=([^&>]+)/.exec(first.headers.link ?? "")?.[1])
      const second = yield* tasks.list({ query: { type: "page", limit: 2, cursor } })
      assert.deepStrictEqual(
        second.body.map(({ content }) => content),
        ["1"]
      )
      assert.isUndefined(second.headers.link)
    })
  )

  it.effect("has errors with names and fields", () =>
    Effect.gen(function* () {
      const { health, tasks } = yield* client
      const id = yield* Schema.decodeEffect(TaskId)("0198c0de-0000-7000-8000-000000000000")
      const missing = yield* Effect.flip(tasks.get({ params: { id }, headers: {} }))
      assert(missing._tag === "TaskNotFound")
      assert.strictEqual(missing.task_id, id)
      assert.strictEqual(missing.instance, `/api/v1/tasks/${id}`)

      assert.deepStrictEqual(yield* health.live(), { status: "ok" })
      assert.deepStrictEqual(yield* health.ready(), { status: "ok" })
      const { begin } = yield* Draining
      yield* begin
      assert.instanceOf(yield* Effect.flip(health.ready()), Unavailable)
      const refused = yield* tasks.submit({ headers: {}, payload: { content: "late" } }).pipe(
        Effect.as("taken in"),
        Effect.catchTag("Unavailable", ({ detail = "" }) => Effect.succeed(detail))
      )
      assert.include(refused, "shutting down")
    })
  )
})
