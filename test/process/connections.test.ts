import { assert, layer } from "@effect/vitest"
import { Array, Context, Effect, Layer } from "effect"
import { ask, type Connection, open } from "./support/Http.ts"
import { directory, serve, type Service, until } from "./support/Service.ts"
import { submittedIn } from "./support/Wire.ts"

const Shared = Context.Service<Service>("test/process/connections/Service")
const shared = Layer.effect(
  Shared,
  Effect.flatMap(directory, (data) => serve(data, { VENOM_SIMULATED_DURATION: "0 seconds" }))
)

const concurrently = { concurrent: true }
const head = "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
const post = (content: string) => {
  const body = JSON.stringify({ content })
  return `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
const statuses = (received: string) =>
  Array.fromIterable(received.matchAll(/HTTP\/1\.1 (\d{3}) /g)).map(([, status]) => status)
const receives = (connection: Connection, count: number) =>
  until(`${count} answers`, Effect.sync(connection.received), (received) => statuses(received).length === count)

layer(shared, { excludeTestServices: true })("On its connections the service", (it) => {
  it.effect(
    "answers pipelined requests in their order",
    () =>
      Effect.gen(function* () {
        const { url } = yield* Shared
        const connection = yield* open(url)
        connection.socket.write(
          `${post("one")}GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n${post("two")}GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n`
        )
        assert.deepStrictEqual(statuses(yield* receives(connection, 4)), ["201", "404", "201", "200"])
        // and goes on
        connection.socket.write(post("three"))
        assert.deepStrictEqual(statuses(yield* receives(connection, 5)).at(-1), "201")
      }),
    concurrently
  )

  it.effect(
    "answers a request that comes byte by byte",
    () =>
      Effect.gen(function* () {
        const { url } = yield* Shared
        const connection = yield* open(url)
        connection.socket.setNoDelay(true)
        for (const byte of post("in pieces ü")) {
          yield* Effect.callback<void>((resume) => void connection.socket.write(byte, () => resume(Effect.void)))
        }
        assert.deepStrictEqual(statuses(yield* receives(connection, 1)), ["201"])
      }),
    concurrently
  )

  it.effect(
    "refuses a body that is announced as too large before it comes",
    () =>
      Effect.gen(function* () {
        const { url } = yield* Shared
        for (const expectation of ["", "Expect: 100-continue\r\n"]) {
          const connection = yield* open(url)
          connection.socket.write(`${head}${expectation}Content-Length: 3000000000\r\n\r\n`)
          const received = yield* until("an answer", Effect.sync(connection.received), (text) => text.includes("}"))
          assert.match(received, /^HTTP\/1\.1 413 .*"status":413/s)
        }
      }),
    concurrently
  )

  it.effect(
    "keeps what a client has sent that hangs up before it is answered",
    () =>
      Effect.gen(function* () {
        const venom = yield* Shared
        const connections = yield* Effect.forEach(Array.range(1, 20), () => open(venom.url))
        for (const { socket } of connections) socket.write(post("hung up"), () => socket.destroySoon())
        const mine = Effect.map(venom.list, (all) => all.filter(({ content }) => content === "hung up"))
        yield* until(
          "all of them",
          mine,
          (tasks) => tasks.length === 20 && tasks.every(({ status }) => status === "COMPLETED")
        )
      }),
    concurrently
  )

  it.effect(
    "serves 200 of them at once",
    () =>
      Effect.gen(function* () {
        const venom = yield* Shared
        const connections = yield* Effect.forEach(Array.range(1, 200), () => open(venom.url), { concurrency: 50 })
        for (const [n, { socket }] of connections.entries()) socket.write(post(`of many ${n}`))
        for (const connection of connections) {
          assert.deepStrictEqual(statuses(yield* receives(connection, 1)), ["201"])
        }
        // they are still open, and there is room for others
        yield* Effect.forEach(
          Array.range(1, 200),
          (n) =>
            Effect.flatMap(
              ask(venom.url)({
                method: "POST",
                path: "/api/v1/tasks",
                headers: { "content-type": "application/json" },
                body: JSON.stringify({ content: `of more ${n}` })
              }),
              submittedIn
            ),
          { concurrency: 200 }
        )
        assert.isTrue(connections.every(({ socket }) => !socket.destroyed))
        const mine = (yield* venom.list).filter(({ content }) => content.startsWith("of m"))
        assert.strictEqual(new Set(mine.map(({ content }) => content)).size, 400)
      }),
    concurrently
  )

  it.effect(
    "closes one when it is asked to, and speaks HTTP/1.0",
    () =>
      Effect.gen(function* () {
        const { url } = yield* Shared
        const closing = yield* open(url)
        closing.socket.write("GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert.deepStrictEqual(statuses(yield* closing.closed), ["200"])
        const old = yield* open(url)
        old.socket.write("GET /health/live HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert.deepStrictEqual(statuses(yield* old.closed), ["200"])
      }),
    concurrently
  )
})
