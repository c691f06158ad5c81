import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Layer, Stream } from "effect"
import { HttpClient, HttpClientError, type HttpClientRequest, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import * as HttpTaskClient from "../../src/client/HttpTaskClient.ts"
import * as Patience from "../../src/client/Patience.ts"
import { VenomClient } from "../../src/client/VenomClient.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import * as TaskJson from "../../src/domain/TaskJson.ts"
import type { VenomTask } from "../../src/domain/Task.ts"
import { TaskClient } from "../../src/ports/TaskClient.ts"
import { idOf } from "../support/tasks.ts"

const id = idOf(1)
const pending = Lifecycle.submit({ content: "a" }, { id, now: 0, maxAttempts: 1 })
const done: VenomTask = { ...pending, status: "COMPLETED", result: "b", finishedAt: 0 }

type Answer = (request: HttpClientRequest.HttpClientRequest) => Effect.Effect<Response, HttpClientError.HttpClientError>

const task =
  (it: VenomTask, headers: Readonly<Record<string, string>> = { "retry-after": "1" }): Answer =>
  () =>
    Effect.sync(
      () =>
        new Response(TaskJson.toJson(it), {
          headers: { "content-type": "application/json", etag: 'W/"1"', ...headers }
        })
    )

const refuses: Answer = (request) =>
  Effect.fail(new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request }) }))

const problem =
  (status: number, type: string): Answer =>
  () =>
    Effect.sync(
      () =>
        new Response(JSON.stringify({ type: `urn:venom:problem:${type}`, title: "no", status, task_id: id }), {
          status,
          headers: { "content-type": "application/problem+json" }
        })
    )

const breaksOff: Answer = () =>
  Effect.sync(() => {
    const body = new ReadableStream({ start: (controller) => controller.error(new TypeError("terminated")) })
    return new Response(body, { headers: { "content-type": "application/json", etag: 'W/"1"' } })
  })

/** A service that answers by its script, and then the last of it for ever; when it was asked. */
const service = (...script: ReadonlyArray<Answer>) => {
  const asked: Array<number> = []
  const http = HttpClient.make((request) =>
    Effect.gen(function* () {
      const answer = script[Math.min(asked.length, script.length - 1)] ?? refuses
      asked.push(yield* Clock.currentTimeMillis)
      return HttpClientResponse.fromWeb(request, yield* answer(request))
    })
  )
  const layer = HttpTaskClient.layer.pipe(
    Layer.provideMerge(VenomClient.layer({ url: "http://service" })),
    Layer.provide(Layer.succeed(HttpClient.HttpClient, http))
  )
  return { asked, layer }
}

const waiting = Effect.flatMap(TaskClient, (client) => Effect.forkChild(client.wait(id), { startImmediately: true }))

describe("who waits for a task", () => {
  it.effect("asks a service that answers at once no more often than it says", () => {
    const { asked, layer } = service(task(pending, { "retry-after": "2" }))
    return Effect.gen(function* () {
      yield* waiting
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual(asked, [0, 2000, 4000, 6000, 8000])
    }).pipe(Effect.provide(layer))
  })

  it.effect("and where it says nothing, once a second", () => {
    const { asked, layer } = service(task(pending, {}))
    return Effect.gen(function* () {
      yield* waiting
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(asked, 11)
    }).pipe(Effect.provide(layer))
  })

  it.effect("asks again at once where the answer has taken its time", () => {
    const slowly: Answer = (request) => Effect.delay(task(pending)(request), "60 seconds")
    const { asked, layer } = service(slowly)
    return Effect.gen(function* () {
      yield* waiting
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(asked, [0, 60_000, 120_000])
    }).pipe(Effect.provide(layer))
  })

  it.effect("outlasts a service that is away, starts, or has enough of it", () => {
    const { asked, layer } = service(
      task(pending),
      refuses,
      breaksOff,
      problem(503, "unavailable"),
      problem(429, "too-many-requests"),
      task(done)
    )
    return Effect.gen(function* () {
      const fiber = yield* waiting
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(fiber)).status, "COMPLETED")
      assert.lengthOf(asked, 6)
      assert.isTrue(asked.every((at, index) => index === 0 || at - (asked[index - 1] ?? 0) >= 800))
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives up on one that has been away for five minutes, and not before", () => {
    const { asked, layer } = service(task(pending), refuses)
    return Effect.gen(function* () {
      const fiber = yield* waiting
      yield* TestClock.adjust("4 minutes")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("2 minutes")
      const exit = fiber.pollUnsafe()
      assert.isTrue(exit !== undefined && Exit.isFailure(exit))
      assert.isBelow(asked.length, 60)
    }).pipe(Effect.provide(layer))
  })

  it.effect("hears at once that there is no such task", () => {
    const { asked, layer } = service(problem(404, "task-not-found"))
    return Effect.gen(function* () {
      const client = yield* TaskClient
      assert.strictEqual((yield* Effect.flip(client.wait(id)))._tag, "TaskNotFound")
      assert.lengthOf(asked, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("at the command line, hears at once that nothing answers", () => {
    const { asked, layer } = service(refuses)
    return Effect.gen(function* () {
      const client = yield* VenomClient
      assert.strictEqual((yield* Effect.flip(Patience.untilFinal(client, id, false)))._tag, "HttpClientError")
      assert.lengthOf(asked, 1)
    }).pipe(Effect.provide(layer))
  })
})

describe("who follows the events of a task", () => {
  it.effect("outlasts a service that is away", () => {
    const breaks: Answer = () =>
      Effect.sync(() => new Response("", { headers: { "content-type": "text/event-stream" } }))
    const state = JSON.stringify({ task_id: id, status: "COMPLETED", attempt: 1, run_at: "2026-01-01T00:00:00.000Z" })
    const ends: Answer = () =>
      Effect.sync(
        () =>
          new Response(`id: 1\nevent: status\ndata: ${state}\n\n`, { headers: { "content-type": "text/event-stream" } })
      )
    const { asked, layer } = service(breaks, refuses, refuses, problem(503, "unavailable"), ends)
    return Effect.gen(function* () {
      const client = yield* TaskClient
      const fiber = yield* Effect.forkChild(Stream.runCollect(client.events(id)), { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(yield* Fiber.join(fiber), 1)
      assert.lengthOf(asked, 5)
    }).pipe(Effect.provide(layer))
  })
})
