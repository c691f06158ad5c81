import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Connection, open } from "./support/Http.ts"
import { directory, serve } from "./support/Service.ts"

describe("very many tasks", { concurrent: true }, () => {
  const sendAll = Effect.fnUntraced(function* (count: number, duration: string) {
    const venom = yield* serve(yield* directory, { VENOM_SIMULATED_DURATION: duration })
    const sent = yield* Effect.forEach(
      Array.from({ length: count }, (_, index) => `content ${index}`),
      (content) => Effect.map(venom.submit(content), (id) => [id, content] as const),
      { concurrency: 250 }
    )
    const tasks = yield* venom.settled
    const found = new Map(tasks.map((task) => [task.id, task]))
    assert.strictEqual(found.size, count)
    for (const [id, content] of sent) assert.include(found.get(id), { status: "COMPLETED", content, attempt: 1 })
    const complaints = venom.log().filter(({ level }) => level === "error")
    assert.deepStrictEqual(complaints, [])
  })

  it.live("10,000 of them sent at once, each of 50 ms, are all COMPLETED", () => sendAll(10_000, "50 millis"), 180_000)
  it.live("2,000 of them that take no time at all are all COMPLETED", () => sendAll(2000, "0 seconds"))
})

/** Writes a piece a second until the service has ended the connection; how many seconds that took. */
const trickle = Effect.fnUntraced(function* (connection: Connection, piece: string) {
  const begun = performance.now()
  yield* Effect.raceFirst(
    connection.closed,
    Effect.forever(
      Effect.andThen(
        Effect.sync(() => connection.socket.write(piece)),
        Effect.sleep("1 second")
      )
    )
  )
  return (performance.now() - begun) / 1000
})

const head = "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

describe("a client that takes its time", { concurrent: true }, () => {
  it.live("with the headers is cut after 10 seconds, with a problem", () =>
    Effect.gen(function* () {
      const venom = yield* serve(yield* directory)
      const connection = yield* open(venom.url)
      connection.socket.write("GET /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\n")
      const seconds = yield* trickle(connection, "X-A: b\r\n")
      assert.isAbove(seconds, 9)
      assert.isBelow(seconds, 20)
      assert.match(connection.received(), /^HTTP\/1\.1 408 .*application\/problem\+json.*"status":408/s)
    })
  )

  it.live("with the body is cut after 30 seconds, and has sent nothing", () =>
    Effect.gen(function* () {
      const venom = yield* serve(yield* directory)
      const connection = yield* open(venom.url)
      connection.socket.write(`${head}Content-Length: 1000\r\n\r\n{"content":"trickled`)
      const seconds = yield* trickle(connection, "x")
      assert.isAbove(seconds, 28)
      assert.isBelow(seconds, 45)
      assert.deepStrictEqual(yield* venom.list, [])
    })
  )
})
