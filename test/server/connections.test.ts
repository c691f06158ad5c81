import { assert, describe, it, layer } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { HttpServer } from "effect/http"
import type { Socket } from "node:net"
import { Orchestrator } from "../../src/engine/Orchestrator.ts"
import { answerOf, get, open, post, problemOf, raw, served, submit, watched } from "./support.ts"

const head = "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

/** What comes on a connection up to the place where `enough` is seen, or until it closes. */
const read = (socket: Socket, enough: string | undefined = undefined) =>
  Effect.callback<string>((resume) => {
    let text = ""
    const done = () => resume(Effect.succeed(text))
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1")
      if (enough !== undefined && text.includes(enough)) done()
    })
    socket.once("close", done)
  })

layer(served(), { excludeTestServices: true })(
  "What never becomes a request is answered with a problem document too:",
  (it) => {
    const rows: ReadonlyArray<readonly [string, string, number]> = [
      ["garbage", "garbage\r\n\r\n", 400],
      ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
      ["an unknown method", "BREW /pot HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
      ["an unknown version", "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 400],
      ["a header without a name", "GET / HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n", 400],
      ["a space before the colon", "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400],
      ["two lengths", `${head}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`, 400],
      ["a length and chunks", `${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
      ["a length that is no number", `${head}Content-Length: many\r\n\r\n`, 400],
      ["a bad chunk", `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\nab`, 400],
      [
        "chunk extensions without end",
        `${head}Transfer-Encoding: chunked\r\n\r\n1;${"x".repeat(20_000)}\r\na\r\n0\r\n\r\n`,
        413
      ],
      ["a URL without end", `GET /${"x".repeat(40_000)}`, 414],
      ["headers without end", `GET / HTTP/1.1\r\nHost: localhost\r\n${"x: y\r\n".repeat(6000)}`, 431],
      ["a proxy request", "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n", 405]
    ]
    for (const [name, bytes, status] of rows) {
      it.effect(`${name} → ${status}`, () =>
        Effect.gen(function* () {
          const answer = answerOf(yield* raw(bytes))
          assert.strictEqual(answer.status, status)
          assert.strictEqual(answer.headers["connection"], "close")
          yield* problemOf(answer)
          assert.strictEqual((yield* submit({ content: "after" })).status, 201)
        })
      )
    }

    it.effect("an upgrade that nobody offers is a request like any other", () =>
      Effect.gen(function* () {
        const bytes = yield* raw(
          "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert.strictEqual(answerOf(bytes).status, 200)
      })
    )

    it.effect("odd targets are no routes", () =>
      Effect.gen(function* () {
        for (const target of [
          "*",
          "/..",
          "/%2e%2e/api",
          "/%00",
          "/api/v1/tasks%2f",
          "x:y",
          "/api/v1/tasks;a=1/b",
          "/\xff"
        ]) {
          const answer = answerOf(yield* raw(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`))
          assert.oneOf(answer.status, [400, 404], target)
          yield* problemOf(answer)
        }
        const options = answerOf(yield* raw("OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
        assert.oneOf(options.status, [400, 404, 405])
      })
    )

    it.effect("a large body is refused by its length, before any of it is sent", () =>
      Effect.gen(function* () {
        const answer = answerOf(yield* raw(`${head}Content-Length: 2147483648\r\n\r\n`))
        assert.strictEqual(answer.status, 413)
        yield* problemOf(answer)
      })
    )

    it.effect("a client that asks first is told before it sends, yes or no", () =>
      Effect.gen(function* () {
        const refused = answerOf(yield* raw(`${head}Expect: 100-continue\r\nContent-Length: 2147483648\r\n\r\n`))
        assert.strictEqual(refused.status, 413)

        const socket = yield* open
        socket.write(`${head}Expect: 100-continue\r\nContent-Length: 15\r\n\r\n`)
        yield* read(socket, "HTTP/1.1 100 Continue")
        const answer = yield* Effect.forkChild(read(socket, "PENDING"), { startImmediately: true })
        socket.write(`{"content":"a"}`)
        assert.include(yield* Fiber.join(answer), "201 Created")
      })
    )

    it.effect("a large body in chunks is refused while it comes", () =>
      Effect.gen(function* () {
        const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`
        const answer = answerOf(yield* raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(40)}`))
        assert.strictEqual(answer.status, 413)
        yield* problemOf(answer)
      })
    )

    it.effect("a small body in chunks is a body", () =>
      Effect.gen(function* () {
        const bytes = yield* raw(
          `${head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"conte\r\n8\r\nnt":"a"}\r\n0\r\n\r\n`
        )
        assert.strictEqual(answerOf(bytes).status, 201)
      })
    )

    it.effect("no body is an empty body", () =>
      Effect.gen(function* () {
        const answer = answerOf(yield* raw(`${head}Connection: close\r\n\r\n`))
        assert.strictEqual(answer.status, 400)
        yield* problemOf(answer)
      })
    )

    it.effect("requests sent in one go are answered in their order", () =>
      Effect.gen(function* () {
        const one = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
        const bytes = yield* raw(
          `${one}${one.replace("live", "nope")}${one.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")}`
        )
        assert.deepStrictEqual(bytes.match(/HTTP\/1.1 \d+/g), ["HTTP/1.1 200", "HTTP/1.1 404", "HTTP/1.1 200"])
      })
    )

    it.effect("garbage after a request does not spoil its answer", () =>
      Effect.gen(function* () {
        const bytes = yield* raw("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\ngarbage\r\n\r\n")
        assert.match(bytes, /^HTTP\/1.1 (200|400) /)
        assert.strictEqual((yield* get("/health/live")).status, 200)
      })
    )
  }
)

const impatient = { headersTimeout: 50, requestTimeout: 100, connectionsCheckingInterval: 20 }

layer(served({ server: { limits: impatient } }), { excludeTestServices: true })("A client that dawdles", (it) => {
  for (const [name, bytes] of [
    ["with its headers", "GET /health/live HTTP/1.1\r\nHost: loc"],
    ["with its body", `${head}Content-Length: 15\r\n\r\n{"cont`]
  ] as const) {
    it.effect(`${name} is told so with a 408`, () =>
      Effect.gen(function* () {
        const answer = answerOf(yield* raw(bytes))
        assert.strictEqual(answer.status, 408)
        yield* problemOf(answer)
      })
    )
  }
})

layer(served({ server: { limits: { maxConnections: 2 } } }), { excludeTestServices: true })(
  "Clients without number",
  (it) => {
    it.effect("are turned away at the door, and let in again when others have gone", () =>
      Effect.gen(function* () {
        const [first] = yield* Effect.all([open, open])
        assert.isTrue(Exit.isFailure(yield* Effect.exit(get("/health/live"))))
        first.destroy()
        yield* Effect.retry(get("/health/live"), { times: 100 })
      })
    )
  }
)

describe("A client that hangs up", () => {
  it.live("right after its task has arrived has submitted it all the same", () =>
    Effect.gen(function* () {
      const { arrived, mayGoOn, repository, taken } = yield* watched
      yield* Effect.gen(function* () {
        const socket = yield* open
        socket.write(`${head}Content-Length: 18\r\n\r\n{"content":"kept"}`)
        yield* Deferred.await(arrived)
        const { address } = yield* HttpServer.HttpServer
        assert.isDefined(address)
        const gone = Effect.callback<void>((resume) => void socket.once("close", () => resume(Effect.void)))
        const waiting = yield* Effect.forkChild(gone, { startImmediately: true })
        socket.resetAndDestroy()
        yield* Fiber.join(waiting)
        // another round trip: the server has seen the reset by now
        assert.strictEqual((yield* get("/health/live")).status, 200)
        yield* Deferred.succeed(mayGoOn, undefined)
        yield* Deferred.await(taken)
        const { page } = yield* Orchestrator
        const { tasks } = yield* page({}, { limit: 10 })
        assert.deepStrictEqual(
          tasks.map(({ content }) => content),
          ["kept"]
        )
      }).pipe(Effect.provide(served({ repository })))
    }).pipe(Effect.scoped)
  )

  it.live("in the middle of its body leaves nothing behind", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(served())
      yield* Effect.gen(function* () {
        const sockets = yield* Effect.all(Array.from({ length: 20 }, () => open))
        for (const socket of sockets) socket.write(`${head}Content-Length: 1000\r\n\r\n{"content":"`)
        assert.strictEqual((yield* get("/health/live")).status, 200)
        for (const socket of sockets) socket.resetAndDestroy()
        assert.strictEqual((yield* get("/api/v1/tasks")).text, "[]")
        assert.strictEqual((yield* post(`{"content":"a"}`)).status, 201)
      }).pipe(Effect.provideContext(context))
    }).pipe(Effect.scoped)
  )
})

describe("Stopping", () => {
  it.live("does not wait for a client that never finishes its request", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(served({ server: { closeGrace: Duration.millis(50) } }), scope)
      yield* Effect.gen(function* () {
        const inBody = yield* open
        const answer = yield* Effect.forkChild(read(inBody), { startImmediately: true })
        inBody.write(`${head}Content-Length: 1000\r\n\r\n{"content":"`)
        const inHeaders = yield* open
        const closed = yield* Effect.forkChild(read(inHeaders), { startImmediately: true })
        inHeaders.write(head)
        assert.strictEqual((yield* get("/health/live")).status, 200)
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(yield* Fiber.join(answer), "")
        assert.strictEqual(yield* Fiber.join(closed), "")
      }).pipe(Effect.provideContext(context))
    }).pipe(Effect.scoped)
  )

  it.live("lets an answer under way be finished, and takes no new connection meanwhile", () =>
    Effect.gen(function* () {
      const { arrived, mayGoOn, repository } = yield* watched
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(
        served({ repository, server: { closeGrace: Duration.seconds(20) } }),
        scope
      )
      yield* Effect.gen(function* () {
        const answer = yield* Effect.forkChild(submit({ content: "a" }), { startImmediately: true })
        yield* Deferred.await(arrived)
        const stopping = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        assert.isTrue(Exit.isFailure(yield* Effect.exit(get("/health/live"))))
        yield* Deferred.succeed(mayGoOn, undefined)
        assert.strictEqual((yield* Fiber.join(answer)).status, 201)
        yield* Fiber.join(stopping)
      }).pipe(Effect.provideContext(context))
    }).pipe(Effect.scoped)
  )

  it.live("answers 503 to what could not be finished in time", () =>
    Effect.gen(function* () {
      const arrived = yield* Deferred.make<void>()
      const scope = yield* Scope.make()
      const stuck = served({
        server: { closeGrace: Duration.millis(50) },
        orchestrator: () => ({ get: () => Effect.andThen(Deferred.succeed(arrived, undefined), Effect.never) })
      })
      const context = yield* Layer.buildWithScope(stuck, scope)
      yield* Effect.gen(function* () {
        const answer = yield* Effect.forkChild(get("/api/v1/tasks/0198c0de-0000-7000-8000-000000000000"), {
          startImmediately: true
        })
        yield* Deferred.await(arrived)
        yield* Scope.close(scope, Exit.void)
        const refused = yield* Fiber.join(answer)
        assert.strictEqual(refused.status, 503)
        assert.strictEqual(refused.headers["retry-after"], "5")
        yield* problemOf(refused)
      }).pipe(Effect.provideContext(context))
    })
  )
})
