import { assert, describe, it, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Stream } from "effect"
import type { Socket } from "node:net"
import { allRefused, allRefusedRaw, inVain, posting, refused, tasks, unknownTask } from "./attacks.ts"
import { answerOf, ask, get, open, post, raw, served, submit } from "./support.ts"

const start = `POST ${tasks} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n`
const body = `{"content":"a"}`
const whole = `${start}Content-Length: ${body.length}\r\n`
const chunked = `f\r\n${body}\r\n0\r\n`
const hidden = `DELETE ${unknownTask} HTTP/1.1\r\nHost: localhost\r\n\r\n`
const reading = (headers: string) => `GET ${tasks} HTTP/1.1\r\nConnection: close\r\n${headers}\r\n\r\n`

layer(served(), { excludeTestServices: true })("A request within a request", (it) => {
  it.effect("is none: where two could read the length in two ways, nobody reads it", () =>
    allRefusedRaw([
      ["a length and chunks", `${whole}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`, 400],
      ["chunks and a length", `${start}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${chunked}\r\n`, 400],
      ["two lengths", `${whole}Content-Length: 3\r\n\r\n${body}`, 400],
      ["the same length twice", `${whole}Content-Length: ${body.length}\r\n\r\n${body}`, 400],
      ["a list of lengths", `${start}Content-Length: 15, 15\r\n\r\n${body}`, 400],
      ...["+15", "-1", "0xf", "1 5", "15.0", "", "9".repeat(40)].map(
        (length) => [`the length ${length}`, `${start}Content-Length: ${length}\r\n\r\n${body}`, 400] as const
      ),
      ...[
        "xchunked",
        "identity",
        "chunked, identity",
        "chunked\r\nTransfer-Encoding: chunked",
        "chunked\r\nTransfer-Encoding: x",
        "\x0bchunked",
        "\r\n chunked",
        "chunked, chunked"
      ].map((coding) => [`coded ${coding}`, `${start}Transfer-Encoding: ${coding}\r\n\r\n${chunked}\r\n`] as const),
      ["compressed chunks", `${start}Transfer-Encoding: gzip, chunked\r\n\r\n${chunked}\r\n`, 415],
      ["a space before the colon", `${start}Transfer-Encoding : chunked\r\n\r\n${chunked}\r\n`, 400],
      ["a folded header", `${whole}X: a\r\n b\r\n\r\n${body}`, 400],
      ["lines that end without CR", `${whole}\r\n${body}`.replaceAll("\r\n", "\n"), 400],
      ["a CR within a header", `${whole}X: a\rb\r\n\r\n${body}`, 400],
      ["a NUL within a header", `${whole}X: a\0b\r\n\r\n${body}`, 400],
      ["a header without a name", `${whole}: a\r\n\r\n${body}`, 400],
      ...["-1", "0xf", "f;\n", "f ", "f".repeat(17), "g", ""].map(
        (size) =>
          [
            `a chunk of ${size}`,
            `${start}Transfer-Encoding: chunked\r\n\r\n${size}\r\n${body}\r\n0\r\n\r\n`,
            400
          ] as const
      ),
      ["chunks that end without CR", `${start}Transfer-Encoding: chunked\r\n\r\nf\n${body}\n0\n\n`, 400],
      [
        "trailers without end",
        `${start}Transfer-Encoding: chunked\r\n\r\n${chunked}${"x: y\r\n".repeat(6000)}\r\n`,
        431
      ],
      ["another protocol", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400]
    ])
  )

  it.effect("does not come out of a body that nobody has read", () =>
    inVain(
      Effect.gen(function* () {
        const begin = start.replace("Connection: close\r\n", "")
        const submitInside = `${whole}\r\n${body}`
        const length = `Content-Length: ${submitInside.length}`
        // to a route that takes no body, with a media type that is not read, and with a method that has no route
        for (const line of [`GET ${tasks}`, `TRACE ${tasks}`, "GET /nope", "GET /docs"]) {
          const bytes = yield* raw(
            `${begin.replace(`POST ${tasks}`, line)}${length}\r\n\r\n${submitInside}${reading("Host: localhost")}`
          )
          assert.lengthOf(bytes.match(/HTTP\/1.1 \d+/g) ?? [], 2, line)
        }
        const foreign = begin.replace("application/json", "text/plain")
        const bytes = yield* raw(`${foreign}${length}\r\n\r\n${submitInside}${reading("Host: localhost")}`)
        assert.deepStrictEqual(bytes.match(/HTTP\/1.1 \d+/g), ["HTTP/1.1 415", "HTTP/1.1 200"])
      })
    )
  )

  it.effect("hides no header in the trailers", () =>
    inVain(
      Effect.gen(function* () {
        const foreign = `${start.replace("localhost", "evil.example")}Transfer-Encoding: chunked\r\n\r\n${chunked}Host: localhost\r\n\r\n`
        yield* refused(answerOf(yield* raw(foreign)), "the host", [403])
        const untyped = `${start.replace("application/json", "text/plain")}Transfer-Encoding: chunked\r\n\r\n${chunked}Content-Type: application/json\r\n\r\n`
        yield* refused(answerOf(yield* raw(untyped)), "the media type", [415])
      })
    )
  )

  it.effect("has no second header of a kind that there is one of", () =>
    allRefusedRaw([
      ["two hosts", reading("Host: localhost\r\nHost: evil.example"), 403],
      ["the other way round", reading("Host: evil.example\r\nHost: localhost"), 403],
      ["two media types", `${whole}Content-Type: text/plain\r\n\r\n${body}`, 415],
      ["two origins", `${whole}Origin: http://localhost\r\nOrigin: http://evil.example\r\n\r\n${body}`, 403]
    ])
  )
})

layer(served(), { excludeTestServices: true })("A method", (it) => {
  const others = ["OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", "PROPFIND", "SEARCH", "QUERY", "PURGE", "LINK", "LOCK"]

  it.effect("that a route does not have is refused, and what is sent does not come back", () =>
    inVain(
      Effect.forEach(others, (method) =>
        Effect.gen(function* () {
          const answer = yield* ask({ method, path: tasks, headers: { cookie: "secret=1", "x-secret": "secret" } })
          yield* refused(answer, method, [405])
          assert.notInclude(answer.text, "secret")
          assert.sameMembers((answer.headers["allow"] ?? "").split(", "), ["GET", "HEAD", "POST"])
        })
      )
    )
  )

  it.effect("that HTTP does not have, or in small letters, is refused", () =>
    allRefusedRaw(
      ["TRACK", "DEBUG", "get", "Post", "G\0T", "A".repeat(100)].map(
        (method) => [method, reading("Host: localhost").replace("GET", method), 400] as const
      )
    )
  )

  it.effect("for proxies is refused, whatever it is to reach", () =>
    allRefusedRaw(
      ["127.0.0.1:22", "169.254.169.254:80", "localhost:8000", "evil.example:443"].map(
        (target) => [target, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`, 405] as const
      )
    )
  )

  it.effect("is the one that was sent, whatever a header or a parameter says", () =>
    Effect.gen(function* () {
      const { task_id } = JSON.parse((yield* submit({ content: "a", delay: "1 hour" })).text)
      const path = `${tasks}/${String(task_id)}`
      for (const name of ["x-http-method-override", "x-http-method", "x-method-override"]) {
        const headers = { [name]: "DELETE" }
        yield* inVain(get(path, headers))
        yield* allRefused([
          [name, { ...posting("{}", headers), path }, 405],
          ["a parameter", { path: `${path}?_method=DELETE` }, 400]
        ])
        assert.strictEqual((yield* get(path, headers)).status, 200)
      }
    })
  )

  it.effect("HEAD answers as GET does, without a body", () =>
    inVain(
      Effect.forEach([tasks, unknownTask, "/docs", "/openapi.json", "/health/ready", "/nope"], (path) =>
        Effect.gen(function* () {
          const [head, got] = [yield* ask({ method: "HEAD", path }), yield* get(path)]
          assert.strictEqual(head.status, got.status, path)
          assert.strictEqual(head.text, "", path)
          assert.strictEqual(head.headers["content-type"], got.headers["content-type"], path)
        })
      )
    )
  )
})

const closed = (socket: Socket) =>
  Effect.callback<string>((resume) => {
    const chunks: Array<Buffer> = []
    socket.on("data", (chunk: Buffer) => chunks.push(chunk))
    socket.once("close", () => resume(Effect.succeed(Buffer.concat(chunks).toString("latin1"))))
  })

const impatient = { headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 20, keepAliveTimeout: 100 }

layer(served({ server: { limits: impatient } }), { excludeTestServices: true })("Many slow clients", (it) => {
  const kinds = [
    ["that say nothing", "", [408]],
    ["that stop within their headers", `POST ${tasks} HTTP/1.1\r\nHost: localhost\r\nX-`, [408]],
    ["that stop within their body", `${whole}\r\n{"con`, [408]],
    ["that stop within a chunk", `${start}Transfer-Encoding: chunked\r\n\r\nf\r\n{"con`, [408]]
  ] as const
  for (const [what, bytes, statuses] of kinds) {
    it.effect(`${what} are cut off in time, and keep nobody else waiting`, () =>
      inVain(
        Effect.gen(function* () {
          const sockets = yield* Effect.all(
            Array.from({ length: 300 }, () => open),
            { concurrency: 50 }
          )
          const ended = yield* Effect.forEach(sockets, (socket) =>
            Effect.forkChild(closed(socket), { startImmediately: true })
          )
          for (const socket of sockets) socket.write(bytes)
          assert.strictEqual((yield* get("/health/ready")).status, 200)
          const { task_id } = JSON.parse((yield* post(`{"content":"among them"}`)).text)
          const path = `${tasks}/${String(task_id)}`
          assert.strictEqual((yield* ask({ method: "POST", path: `${path}/cancel` })).status, 200)
          assert.strictEqual((yield* ask({ method: "DELETE", path })).status, 204)
          for (const text of yield* Effect.forEach(ended, Fiber.join)) yield* refused(answerOf(text), what, statuses)
        }).pipe(Effect.scoped)
      )
    )
  }

  it.effect("that send a byte now and then are cut off too", () =>
    Effect.gen(function* () {
      const socket = yield* open
      const ended = yield* Effect.forkChild(closed(socket), { startImmediately: true })
      const dripping = setInterval(() => socket.writable && socket.write("x"), 10)
      socket.write(`POST ${tasks} HTTP/1.1\r\nHost: localhost\r\nX-Slow: `)
      const answer = yield* Fiber.join(ended)
      clearInterval(dripping)
      yield* refused(answerOf(answer), "a slow header", [408])
    }).pipe(Effect.scoped)
  )
})

describe("A client that does not read", () => {
  it.live("what it asked for is cut off, and others are answered meanwhile", () =>
    Effect.gen(function* () {
      const over = yield* Deferred.make<void>()
      const listing = served({
        server: { limits: { idleTimeout: 200 } },
        orchestrator: ({ list }) => ({
          list: (filter) => Stream.ensuring(list(filter), Deferred.succeed(over, undefined))
        })
      })
      yield* Effect.gen(function* () {
        // far more than the system keeps for a connection
        for (let count = 0; count < 20; count++) yield* submit({ content: "x".repeat(2 ** 20), delay: "1 hour" })
        const socket = yield* open
        socket.pause()
        socket.write(`GET ${tasks} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
        assert.strictEqual((yield* get("/health/ready")).status, 200)
        yield* Deferred.await(over)
        assert.strictEqual((yield* get("/health/ready")).status, 200)
        const ended = yield* Effect.forkChild(closed(socket), { startImmediately: true })
        socket.resume()
        assert.isBelow((yield* Fiber.join(ended)).length, 20 * 2 ** 20)
      }).pipe(Effect.provide(listing))
    }).pipe(Effect.scoped)
  )
})

describe("A connection", () => {
  const one = `GET ${unknownTask} HTTP/1.1\r\nHost: localhost\r\nPrefer: wait=60\r\n\r\n`

  it.live(
    "has so many requests under way and no more: one that goes too far is cut off, and all that it asked ends",
    () => {
      let underWay = 0
      let most = 0
      return Effect.gen(function* () {
        const over = yield* Deferred.make<void>()
        const waiting = served({
          orchestrator: () => ({
            get: () =>
              Effect.suspend(() => {
                most = Math.max(most, ++underWay)
                return Effect.never
              }).pipe(
                Effect.ensuring(
                  Effect.suspend(() => (--underWay === 0 ? Deferred.succeed(over, undefined) : Effect.void))
                )
              )
          })
        })
        yield* Effect.gen(function* () {
          const [within, beyond] = yield* Effect.all([open, open])
          within.write(one.repeat(100))
          const ended = yield* Effect.forkChild(closed(beyond), { startImmediately: true })
          beyond.on("error", () => {})
          beyond.write(one.repeat(20_000))
          assert.strictEqual(yield* Fiber.join(ended), "")
          assert.isBelow(most, 3000)
          assert.strictEqual((yield* get("/health/ready")).status, 200)
          assert.isFalse(within.closed)
          within.destroy()
          yield* Deferred.await(over)
        }).pipe(Effect.provide(waiting))
      }).pipe(Effect.scoped)
    }
  )
})

layer(served(), { excludeTestServices: true })("A header", (it) => {
  const hostile: ReadonlyArray<Readonly<Record<string, string>>> = [
    { prefer: `"\\`.repeat(7000) },
    { prefer: `\\"`.repeat(7000) },
    { prefer: `a="${`b,`.repeat(7000)}` },
    { "content-type": `application/json; charset=${" ".repeat(14_000)}"b` },
    { cookie: `; `.repeat(7000) },
    { cookie: `;${" ".repeat(14_000)}` },
    { accept: "*/*;q=1,".repeat(1700) },
    { authorization: `Bearer ${" ".repeat(14_000)}` },
    { "if-none-match": `W/"${"a".repeat(14_000)}` },
    { "last-event-id": "9".repeat(14_000) },
    { "idempotency-key": `"${"\\".repeat(14_000)}` },
    { origin: `http://${"a:".repeat(7000)}` },
    { traceparent: `00-${"0".repeat(14_000)}` }
  ]

  it.effect("takes no longer to read than it is long", () =>
    Effect.gen(function* () {
      yield* get(unknownTask)
      for (const headers of hostile) {
        const begun = performance.now()
        for (let count = 0; count < 10; count++) {
          yield* ask(posting(`{"content":"a","delay":"1 hour"}`, headers))
          yield* get(unknownTask, headers)
        }
        // one that is read again and again takes a quarter of a second each time
        assert.isBelow(performance.now() - begun, 1500, Object.keys(headers)[0])
      }
    })
  )
})
