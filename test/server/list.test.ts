import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Logger, Option, Ref, Schema, Stream } from "effect"
import { TaskId, type VenomTask } from "../../src/domain/Task.ts"
import * as MemoryStateRepository from "../../src/adapters/memory/MemoryStateRepository.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { StorageError } from "../../src/ports/StorageError.ts"
import * as TaskListResponse from "../../src/server/TaskListResponse.ts"
import { answerOf, ask, get, open, problemOf, raw, served, tasks } from "./support.ts"

const later = Date.parse("2999-01-01T00:00:00Z")
const waiting = (content: string) => ({ content, runAt: later })

const Ids = Schema.fromJsonString(Schema.Array(Schema.Struct({ id: TaskId, content: Schema.String })))

describe("A list of all tasks", () => {
  it.live("arrives whole and newest first: 20,000 of them", () =>
    Effect.gen(function* () {
      const many = tasks(20_000, (index) => waiting(`task ${index} ${"é".repeat(index % 50)}`))
      yield* Effect.gen(function* () {
        const answer = yield* get("/api/v1/tasks")
        assert.strictEqual(answer.status, 200)
        assert.strictEqual(answer.headers["transfer-encoding"], "chunked")
        assert.isUndefined(answer.headers["content-length"])
        const listed = yield* Schema.decodeUnknownEffect(Ids)(answer.text)
        assert.lengthOf(listed, 20_000)
        assert.deepStrictEqual(listed, many.map(({ content, id }) => ({ content, id })).toReversed())
      }).pipe(Effect.provide(served({ memory: { tasks: many } })))
    })
  )

  it.live("is read from the store as fast as the client reads, and no faster", () =>
    Effect.gen(function* () {
      // 64 pages of 1 MB each: far more than all the buffers between here and the client
      const [task] = tasks(1, () => waiting("x".repeat(20_000)))
      const page = Array.from({ length: 50 }, () => task).flatMap((one) => one ?? [])
      const pages = yield* Ref.make(0)
      const list = () =>
        Stream.fromEffectRepeat(Ref.update(pages, (count) => count + 1)).pipe(
          Stream.take(64),
          Stream.flatMap(() => Stream.fromIterable(page))
        )
      yield* Effect.gen(function* () {
        const socket = yield* open
        const begun = Effect.callback<void>((resume) => void socket.once("readable", () => resume(Effect.void)))
        socket.write("GET /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        yield* begun
        // others are answered while this client does not read
        yield* Effect.repeat(get("/health/live"), { times: 20 })
        assert.isBelow(yield* Ref.get(pages), 40)

        const length = yield* Effect.callback<number>((resume) => {
          let bytes = 0
          socket.on("data", (chunk: Buffer) => (bytes += chunk.length))
          socket.once("close", () => resume(Effect.succeed(bytes)))
        })
        assert.isAbove(length, 64 * 50 * 20_000)
        assert.strictEqual(yield* Ref.get(pages), 64)
      }).pipe(Effect.provide(served({ orchestrator: () => ({ list }) })))
    }).pipe(Effect.scoped)
  )

  it.effect("leaves others their turn between two pieces, however fast it is taken", () =>
    Effect.gen(function* () {
      const many = tasks(5000, () => waiting("x".repeat(500)))
      const { body } = yield* Effect.scoped(TaskListResponse.streamed(Stream.fromIterable(many)))
      assert(body._tag === "Stream")
      let turns = 0
      yield* Effect.forkChild(Effect.forever(Effect.sync(() => turns++)))
      const seen: Array<number> = []
      let chars = 0
      yield* Stream.runForEach(body.stream, (bytes) =>
        Effect.sync(() => {
          seen.push(turns)
          chars += bytes.length
        })
      )
      assert.isAbove(chars, 5000 * 700)
      // the last piece is the closing bracket
      const pieces = seen.slice(0, -1)
      assert.isAbove(pieces.length, 80)
      assert.strictEqual(new Set(pieces).size, pieces.length)
    })
  )

  it.live("of large tasks is written in pieces, not page by page", () =>
    Effect.gen(function* () {
      const many = tasks(12, () => waiting("\u0001".repeat(100_000)))
      yield* Effect.gen(function* () {
        const bytes = yield* raw("GET /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        const { text } = answerOf(bytes)
        const sizes = [...text.matchAll(/(?:^|\r\n)([0-9a-f]+)\r\n/g)].map(([, size = ""]) => Number.parseInt(size, 16))
        assert.lengthOf(
          sizes.filter((size) => size > 600_000),
          12
        )
        assert.isBelow(Math.max(...sizes), 700_000)
      }).pipe(Effect.provide(served({ memory: { tasks: many } })))
    })
  )

  it.live("in pages of large tasks is written in pieces too, and in one otherwise", () =>
    Effect.gen(function* () {
      const many = tasks(12, () => waiting("\u0001".repeat(100_000)))
      yield* Effect.gen(function* () {
        const small = yield* ask({ path: "/api/v1/tasks?limit=1" })
        assert.strictEqual(small.headers["content-length"], String(Buffer.byteLength(small.text)))
        const large = yield* ask({ path: "/api/v1/tasks?limit=11" })
        assert.strictEqual(large.headers["transfer-encoding"], "chunked")
        assert.match(String(large.headers["link"]), /rel="next"/)
        assert.lengthOf(JSON.parse(large.text), 11)
      }).pipe(Effect.provide(served({ memory: { tasks: many } })))
    })
  )

  it.live("ends its reading when the client hangs up", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const ended = yield* Deferred.make<void>()
      const [task] = tasks(1, () => waiting("a"))
      const list = () =>
        Stream.fromIterable(Option.toArray(Option.fromUndefinedOr(task))).pipe(
          Stream.concat(Stream.fromEffect(Effect.andThen(Deferred.succeed(begun, undefined), Effect.never))),
          Stream.ensuring(Deferred.succeed(ended, undefined))
        )
      yield* Effect.gen(function* () {
        const socket = yield* open
        socket.write("GET /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\n\r\n")
        yield* Deferred.await(begun)
        socket.destroy()
        yield* Deferred.await(ended)
      }).pipe(Effect.provide(served({ orchestrator: () => ({ list }) })))
    }).pipe(Effect.scoped)
  )
})

const refuses = new StorageError({ reason: "the disk is on holiday in /var/lib/venom" })

/** A memory repository whose pages fail after the first `good` ones. */
const failing = (good: number, all: ReadonlyArray<VenomTask>) => {
  let served = 0
  return Layer.effect(
    StateRepository,
    Effect.map(StateRepository, (memory) => ({
      ...memory,
      // a start looks for what has failed
      page: (...args: Parameters<typeof memory.page>) =>
        args[0].status === "FAILED" || served++ < good ? memory.page(...args) : Effect.fail(refuses)
    }))
  ).pipe(Layer.provide(MemoryStateRepository.layer({ tasks: all })))
}

describe("A store that cannot be read", () => {
  it.live("is told with a 503 when the list has not begun", () =>
    Effect.gen(function* () {
      for (const path of ["/api/v1/tasks", "/api/v1/tasks?limit=10"]) {
        const answer = yield* get(path)
        assert.strictEqual(answer.status, 503)
        assert.strictEqual(answer.headers["retry-after"], "1")
        assert.notInclude(answer.text, "holiday")
        yield* problemOf(answer)
      }
    }).pipe(Effect.provide(served({ repository: failing(0, []) })))
  )

  it.live("cuts a list off that has begun, so that nobody takes it for whole, and says so in the log", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(String(message)))
      const many = tasks(1200, (index) => waiting(`task ${index}`))
      yield* Effect.gen(function* () {
        const bytes = yield* raw("GET /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert.include(bytes, "HTTP/1.1 200 OK")
        assert.include(bytes, "task 1199")
        assert.notMatch(bytes, /\r\n0\r\n\r\n$/)
      }).pipe(Effect.provide(served({ repository: failing(1, many), loggers: [logger] })))
      assert.lengthOf(
        lines.filter((line) => line.includes("cut off")),
        1
      )
    })
  )
})
