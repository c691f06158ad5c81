import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Logger, Scope } from "effect"
import { SecureRandom } from "effect/crypto"
import * as MemoryStateRepository from "../../src/adapters/memory/MemoryStateRepository.ts"
import * as Engine from "../../src/engine/Engine.ts"
import { make, StartProgress } from "../../src/ports/StartProgress.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import * as NodeServer from "../../src/server/NodeServer.ts"
import { ask, get, idleRunner, open, post, problemOf } from "./support.ts"

/** A service whose state is read when it may, and what it is told of the start. */
const starting = Effect.gen(function* () {
  const mayGoOn = yield* Deferred.make<void>()
  const progress = make()
  const repository = Layer.effect(
    StateRepository,
    Effect.andThen(Deferred.await(mayGoOn), Effect.service(StateRepository))
  ).pipe(Layer.provide(MemoryStateRepository.layer()))
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  const listening = yield* Layer.buildWithScope(
    NodeServer.listening({ port: 0, allowedHosts: ["queue.example.org"] }).pipe(
      Layer.provide(Layer.succeed(StartProgress, progress))
    ),
    scope
  )
  const answering = NodeServer.answering.pipe(
    Layer.provide(Engine.layer),
    Layer.provide([repository, idleRunner]),
    Layer.provide(SecureRandom.layerWebCrypto),
    Layer.provide(Layer.succeedContext(listening)),
    Layer.provide(Logger.layer([]))
  )
  return { answer: Layer.buildWithScope(answering, scope), listening, mayGoOn, progress, scope }
})

describe("A service that reads its state", () => {
  it.live("is alive, says how far it is, and refuses all else for a moment", () =>
    Effect.gen(function* () {
      const { listening, progress } = yield* starting
      yield* Effect.gen(function* () {
        assert.strictEqual((yield* problemOf(yield* get("/health/ready"))).detail, "starting")
        progress.tell({ doing: "recovering", done: 430_000, total: 1_000_000, unit: "records" })
        const live = yield* get("/health/live?probe=1")
        assert.deepInclude(live, { status: 200, text: `{"status":"ok"}` })
        const ready = yield* get("/health/ready")
        assert.strictEqual(ready.status, 503)
        assert.strictEqual(ready.headers["retry-after"], "1")
        const { detail, instance } = yield* problemOf(ready)
        assert.deepStrictEqual([detail, instance], ["recovering 430,000 of 1,000,000 records", "/health/ready"])
        for (const path of ["/api/v1/tasks", "/docs", "/metrics", "/assets/nope.js", "/nope?q=1"]) {
          const answer = yield* get(path)
          assert.deepStrictEqual([answer.status, answer.headers["retry-after"]], [503, "1"], path)
          const problem = yield* problemOf(answer)
          assert.strictEqual(problem.detail, "Venom is starting: recovering 430,000 of 1,000,000 records")
        }
        const page = yield* get("/")
        assert.deepInclude(page, { status: 200, text: (yield* get("/?again")).text })
        assert.strictEqual(page.headers["content-type"], "text/html; charset=utf-8")
        assert.strictEqual((yield* get("/", { "if-none-match": String(page.headers["etag"]) })).status, 304)
        assert.strictEqual((yield* ask({ method: "POST", path: "/" })).status, 503)
        assert.strictEqual((yield* post(`{"content":"${"x".repeat(100_000)}"}`)).status, 503)
        assert.strictEqual((yield* ask({ method: "HEAD", path: "/health/ready" })).text, "")
      }).pipe(Effect.provideContext(listening))
    }).pipe(Effect.scoped)
  )

  it.live("tells nothing to pages of other places", () =>
    Effect.gen(function* () {
      const { listening } = yield* starting
      yield* Effect.gen(function* () {
        assert.strictEqual((yield* get("/api/v1/tasks", { host: "evil.example" })).status, 403)
        assert.strictEqual((yield* get("/api/v1/tasks", { host: "queue.example.org" })).status, 503)
        assert.strictEqual((yield* post("{}", { origin: "http://evil.example" })).status, 403)
        assert.strictEqual((yield* get("/health/ready", { host: "10.0.0.1" })).status, 503)
      }).pipe(Effect.provideContext(listening))
    }).pipe(Effect.scoped)
  )

  it.live("goes over to answering without a request that is lost, or answered twice", () =>
    Effect.gen(function* () {
      const { answer, listening, mayGoOn } = yield* starting
      yield* Effect.gen(function* () {
        const statuses: Array<number> = []
        const asking = yield* Effect.forkChild(
          get("/api/v1/tasks?limit=1").pipe(
            Effect.tap(({ status, text }) =>
              Effect.sync(() => {
                statuses.push(status)
                if (status === 200) assert.strictEqual(text, "[]")
              })
            ),
            Effect.repeat({ until: ({ status }) => status === 200 })
          ),
          { startImmediately: true }
        )
        const building = yield* Effect.forkChild(answer, { startImmediately: true })
        yield* Effect.repeat(Effect.yieldNow, { until: () => statuses.length > 3 })
        yield* Deferred.succeed(mayGoOn, undefined)
        yield* Fiber.join(building)
        yield* Fiber.join(asking)
        assert.deepStrictEqual(Array.from(new Set(statuses)), [503, 200])
        assert.strictEqual((yield* post(`{"content":"a"}`)).status, 201)
      }).pipe(Effect.provideContext(listening))
    }).pipe(Effect.scoped)
  )

  it.live("stops with connections open", () =>
    Effect.gen(function* () {
      const { listening, scope } = yield* starting
      yield* Effect.gen(function* () {
        const socket = yield* open
        socket.on("error", () => {})
        socket.write("GET /api")
        assert.strictEqual((yield* get("/health/live")).status, 200)
        yield* Scope.close(scope, Exit.void)
        assert.isTrue(Exit.isFailure(yield* Effect.exit(get("/health/live"))))
      }).pipe(Effect.provideContext(listening))
    }).pipe(Effect.scoped)
  )
})
