import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it, layer } from "@effect/vitest"
import { Deferred, type Duration, Effect, Exit, Fiber, Layer, Redacted, Ref, Schema, Scope } from "effect"
import { SecureRandom } from "effect/crypto"
import { FetchHttpClient, HttpRouter, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"
import * as WatchedKeys from "../../src/adapters/keys/WatchedKeys.ts"
import * as MemoryStateRepository from "../../src/adapters/memory/MemoryStateRepository.ts"
import * as HttpTaskClient from "../../src/client/HttpTaskClient.ts"
import { VenomClient } from "../../src/client/VenomClient.ts"
import * as Engine from "../../src/engine/Engine.ts"
import { Orchestrator } from "../../src/engine/Orchestrator.ts"
import * as Shutdown from "../../src/engine/Shutdown.ts"
import { ApiKeys } from "../../src/ports/ApiKeys.ts"
import type { StateRepository } from "../../src/ports/StateRepository.ts"
import type { TaskRunner } from "../../src/ports/TaskRunner.ts"
import type { ServerSettings } from "../../src/server/ServerSettings.ts"
import * as VenomHttp from "../../src/server/VenomHttp.ts"
import * as TaskClientTest from "../ports/TaskClientTest.ts"
import { openStream } from "./sse.ts"
import { ask, echoRunner, get, open, port, problemOf, submitted, watched } from "./support.ts"

interface Options {
  readonly settings?: Partial<ServerSettings>
  readonly runner?: Layer.Layer<TaskRunner>
  readonly repository?: Layer.Layer<StateRepository>
  readonly keys?: Layer.Layer<never, unknown>
  /** A middleware for the routes of Venom. */
  readonly around?: Layer.Layer<never>
  readonly grace?: Duration.Input
}

/** An application that has routes of its own, and Venom beside them. */
const app = ({
  around = Layer.empty,
  grace = 0,
  keys = Layer.empty,
  repository = MemoryStateRepository.layer(),
  runner = echoRunner,
  settings
}: Options = {}) =>
  HttpRouter.serve(
    Layer.mergeAll(
      HttpRouter.add("GET", "/hello", HttpServerResponse.text("hello")),
      HttpRouter.add("POST", "/orders", HttpServerResponse.text("ordered")),
      HttpRouter.add("GET", "/queue/length", HttpServerResponse.text("long")),
      VenomHttp.layer({ prefix: "/queue", ...settings }).pipe(Layer.provide([keys, around]))
    ),
    { disableLogger: true, disableListenLog: true }
  ).pipe(
    Layer.provideMerge(
      NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1", gracefulShutdownTimeout: grace })
    ),
    Layer.provideMerge(Engine.layer),
    Layer.provide([runner, repository, SecureRandom.layerWebCrypto])
  )

const json = { "content-type": "application/json" }
const post = (path: string, body: string, headers: Readonly<Record<string, string>> = {}) =>
  ask({ method: "POST", path, body, headers: { ...json, ...headers } })
const submit = (content: string) => post("/queue/api/v1/tasks", JSON.stringify({ content }))

const Document = Schema.fromJsonString(Schema.Struct({ paths: Schema.Record(Schema.String, Schema.Unknown) }))

layer(app(), { excludeTestServices: true })("Mounted under a prefix", (it) => {
  it.effect("a task is where its Location says", () =>
    Effect.gen(function* () {
      const { headers, status, text } = yield* submit("a")
      assert.strictEqual(status, 201)
      const { task_id } = yield* submitted(text)
      assert.strictEqual(headers["location"], `/queue/api/v1/tasks/${task_id}`)
      const found = yield* ask({ path: `${headers["location"]}`, headers: { prefer: "wait=10" } })
      assert.strictEqual(found.status, 200)
      assert.include(found.text, '"status":"COMPLETED"')
    })
  )

  it.effect("each page leads to the next", () =>
    Effect.gen(function* () {
      for (const content of ["a", "b", "c"]) yield* submit(content)
      const first = yield* get("/queue/api/v1/tasks?limit=2")
      const [, next = ""] = /^<([^>]+)>; rel="next"$/.exec(`${first.headers["link"]}`) ?? []
      assert.match(next, /^\/queue\/api\/v1\/tasks\?limit=2&cursor=/)
      const second = yield* get(next)
      assert.strictEqual(second.status, 200)
      assert.notStrictEqual(second.text, first.text)
    })
  )

  it.effect("the events of a task end with it", () =>
    Effect.gen(function* () {
      const { task_id } = yield* submitted((yield* submit("a")).text)
      const stream = yield* openStream(`/queue/api/v1/tasks/${task_id}/events`)
      assert.include(yield* stream.end, '"status":"COMPLETED"')
    }).pipe(Effect.scoped)
  )

  it.effect("the page is there, with a slash at its end, so that all it asks for is below it", () =>
    Effect.gen(function* () {
      const { headers, status } = yield* get("/queue")
      assert.strictEqual(status, 308)
      assert.strictEqual(headers["location"], "/queue/")
      const page = yield* get("/queue/")
      assert.strictEqual(page.status, 200)
      assert.notMatch(page.text, /(src|href)="\//)
    })
  )

  it.effect("every problem names the path that was asked for", () =>
    Effect.gen(function* () {
      const id = "0198c0de-0000-7000-8000-000000000000"
      const rows: ReadonlyArray<readonly [string, string, number]> = [
        ["GET", `/queue/api/v1/tasks/${id}`, 404],
        ["GET", "/queue/api/v1/tasks/none", 400],
        ["GET", "/queue/api/v1/tasks?limit=none", 400],
        ["POST", "/queue/api/v1/tasks", 400],
        ["DELETE", "/queue/api/v1/tasks", 405],
        ["PURGE", "/queue/api/v1/tasks", 405],
        ["DELETE", "/queue", 405],
        ["GET", "/queue/assets/nope.js", 404],
        ["GET", "/queue/nothing/here?x=1", 404]
      ]
      for (const [method, path, status] of rows) {
        const problem = yield* problemOf(
          yield* ask({ method, path, headers: json, body: method === "POST" ? "{}" : "" })
        )
        const instance = path === "/queue" ? "/queue/" : path.replace(/\?.*/, "")
        assert.deepInclude(problem, { status, instance }, `${method} ${path}`)
      }
    })
  )

  it.effect("the longest name of a schedule is found, whatever the other router allows", () =>
    Effect.gen(function* () {
      const path = `/queue/api/v1/schedules/${"%61".repeat(128)}`
      const body = JSON.stringify({ cron: "0 6 * * *", task: { content: "a" } })
      assert.strictEqual((yield* ask({ method: "PUT", path, headers: json, body })).status, 201)
      assert.strictEqual((yield* get(path)).status, 200)
    })
  )

  it.effect("the document and its page have the paths as they are", () =>
    Effect.gen(function* () {
      const { text } = yield* get("/queue/openapi.json")
      const { paths } = yield* Schema.decodeUnknownEffect(Document)(text)
      assert.include(Object.keys(paths), "/queue/api/v1/tasks/{id}")
      assert.isTrue(Object.keys(paths).every((path) => path.startsWith("/queue/")))
      const page = yield* get("/queue/docs")
      assert.strictEqual(page.status, 200)
      assert.include(page.text, '"/queue/api/v1/tasks/{id}"')
    })
  )

  it.effect("health is told", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* get("/queue/health/ready", { host: "10.0.0.1" })).status, 200)
      assert.strictEqual((yield* get("/health/ready")).status, 404)
    })
  )

  it.effect("is guarded, however its prefix is written", () =>
    Effect.gen(function* () {
      const foreign = { host: "evil.example.org" }
      const paths = [
        "/queue/api/v1/tasks",
        "//queue/api/v1/tasks",
        "/queue//api/v1/tasks",
        "/%71ueue/api/v1/tasks",
        "/QUEUE/api/v1/tasks",
        "/queue;/api/v1/tasks",
        "/hello/../queue/api/v1/tasks"
      ]
      for (const path of paths) {
        assert.include([403, 404], (yield* get(path, foreign)).status, path)
        const crossed = yield* post(path, '{"content":"a"}', { origin: "http://evil.example.org" })
        assert.include([403, 404], crossed.status, path)
      }
      for (const path of ["/queue/api/v1/tasks", "/queue/nope", "/queue/docs"]) {
        assert.strictEqual((yield* problemOf(yield* get(path, foreign))).type, "urn:venom:problem:refused-origin")
      }
      assert.strictEqual((yield* post("/queue/api/v1/tasks", "x", { "content-type": "text/plain" })).status, 415)
    })
  )

  it.effect("the rest of the application is its own", () =>
    Effect.gen(function* () {
      const foreign = { host: "app.example.org", origin: "http://elsewhere.example.org" }
      assert.strictEqual((yield* get("/hello", foreign)).text, "hello")
      assert.strictEqual((yield* post("/orders", "{}", foreign)).text, "ordered")
      assert.strictEqual((yield* get("/queue/length", foreign)).text, "long")
      const unknown = yield* get("/nope")
      assert.deepInclude(unknown, { status: 404, text: "" })
    })
  )
})

layer(app({ settings: { allowedHosts: ["app.example.org"], maxBody: 100 } }), { excludeTestServices: true })(
  "What the application says",
  (it) => {
    it.effect("of its hosts and of bodies is held to", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* get("/queue/api/v1/tasks", { host: "app.example.org" })).status, 200)
        assert.strictEqual((yield* get("/queue/api/v1/tasks", { host: "other.example.org" })).status, 403)
        assert.strictEqual((yield* submit("x".repeat(100))).status, 413)
      })
    )
  }
)

layer(app({ settings: { prefix: "" } }), { excludeTestServices: true })("Without a prefix", (it) => {
  it.effect("it has what no other route has", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* get("/hello")).text, "hello")
      const { headers } = yield* post("/api/v1/tasks", '{"content":"a"}')
      assert.match(`${headers["location"]}`, /^\/api\/v1\/tasks\//)
      assert.deepInclude(yield* problemOf(yield* get("/nope")), { status: 404, instance: "/nope" })
    })
  )
})

const key = "k".repeat(32)
const locked = Layer.effect(ApiKeys, WatchedKeys.make({ directory: "/nowhere/keys", apiKey: Redacted.make(key) })).pipe(
  Layer.provide(NodeFileSystem.layer)
)

layer(app({ keys: locked }), { excludeTestServices: true })("With keys", (it) => {
  it.effect("it is for those who have one, and the rest of the application is open", () =>
    Effect.gen(function* () {
      const refused = yield* get("/queue/api/v1/tasks")
      assert.include(yield* problemOf(refused), { status: 401, instance: "/queue/api/v1/tasks" })
      assert.strictEqual((yield* get("/hello")).text, "hello")
      assert.strictEqual((yield* get("/queue/health/ready")).status, 200)
      const authorization = `Bearer ${key}`
      assert.strictEqual((yield* get("/queue/api/v1/tasks", { authorization })).status, 200)
    })
  )

  it.effect("a session is for its prefix alone", () =>
    Effect.gen(function* () {
      const { headers, status } = yield* post("/queue/api/v1/session", JSON.stringify({ key }))
      assert.strictEqual(status, 204)
      const [cookie = ""] = headers["set-cookie"] ?? []
      assert.include(cookie, "; Path=/queue;")
      assert.strictEqual((yield* get("/queue/api/v1/tasks", { cookie: cookie.split(";")[0] ?? "" })).status, 200)
    })
  )
})

describe("A middleware of the application", () => {
  it.live("stands around it once, as around any route", () =>
    Effect.gen(function* () {
      const asked = yield* Ref.make(0)
      const counting = HttpRouter.middleware((route) =>
        Effect.andThen(
          Ref.update(asked, (n) => n + 1),
          route
        )
      ).layer
      yield* Effect.gen(function* () {
        assert.strictEqual((yield* get("/queue/api/v1/tasks")).status, 200)
        assert.strictEqual((yield* get("/hello")).status, 200)
        assert.strictEqual(yield* Ref.get(asked), 1)
      }).pipe(Effect.provide(app({ around: counting })))
    })
  )
})

describe("An orderly stop", () => {
  it.live("ends the streams, and waits for nobody who only listens", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const stopping = Shutdown.layer.pipe(Layer.provideMerge(app({ grace: "20 seconds" })))
      const context = yield* Layer.buildWithScope(stopping, scope)
      yield* Effect.gen(function* () {
        const later = yield* post("/queue/api/v1/tasks", '{"content":"a","delay":"1 hour"}')
        const { task_id } = yield* submitted(later.text)
        const stream = yield* openStream(`/queue/api/v1/tasks/${task_id}/events`)
        yield* stream.until((text) => text.includes("PENDING"))
        const ended = yield* Effect.forkChild(stream.end, { startImmediately: true })
        yield* Scope.close(scope, Exit.void)
        assert.notInclude(yield* Fiber.join(ended), "COMPLETED")
      }).pipe(Effect.provideContext(context))
    }).pipe(Effect.scoped)
  )
})

describe("A prefix", () => {
  it.for<`/${string}`>(["/queue/", "/", "/a//b", "/:id", "/*", "/a b", "/a?b"])("is not %s", (prefix) => {
    assert.throws(() => VenomHttp.layer({ prefix }), "is no prefix")
  })
})

describe("A client that hangs up", () => {
  it.live("right after its task has arrived has submitted it all the same", () =>
    Effect.gen(function* () {
      const { arrived, mayGoOn, repository, taken } = yield* watched
      yield* Effect.gen(function* () {
        const socket = yield* open
        socket.write(
          "POST /queue/api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
            'Content-Length: 18\r\n\r\n{"content":"kept"}'
        )
        yield* Deferred.await(arrived)
        const gone = Effect.callback<void>((resume) => void socket.once("close", () => resume(Effect.void)))
        const waiting = yield* Effect.forkChild(gone, { startImmediately: true })
        socket.resetAndDestroy()
        yield* Fiber.join(waiting)
        assert.strictEqual((yield* get("/queue/health/live")).status, 200)
        yield* Deferred.succeed(mayGoOn, undefined)
        yield* Deferred.await(taken)
        const { tasks } = yield* (yield* Orchestrator).page({}, { limit: 10 })
        assert.deepStrictEqual(
          tasks.map(({ content }) => content),
          ["kept"]
        )
      }).pipe(Effect.provide(app({ repository })))
    }).pipe(Effect.scoped)
  )
})

TaskClientTest.suite("mounted", (runner) =>
  Layer.unwrap(
    Effect.map(port, (at) =>
      HttpTaskClient.layer.pipe(
        Layer.provideMerge(VenomClient.layer({ url: `http://127.0.0.1:${at}/queue` })),
        Layer.provide(FetchHttpClient.layer)
      )
    )
  ).pipe(Layer.provide(app({ runner })))
)
