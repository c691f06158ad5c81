import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Fiber, Formatter, Layer, Logger, References, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as MemoryStateRepository from "../../src/adapters/memory/MemoryStateRepository.ts"
import { TaskNotFound } from "../../src/domain/TaskError.ts"
import { Draining } from "../../src/engine/Draining.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { StorageError } from "../../src/ports/StorageError.ts"
import { get, post, problemOf, served, submit, submitted } from "./support.ts"

/** A logger that keeps everything it is told, as text. */
const notebook = () => {
  const lines: Array<{ readonly level: string; readonly text: string }> = []
  const logger = Logger.make(({ cause, fiber, logLevel, message }) => {
    const annotations = fiber.getRef(References.CurrentLogAnnotations)
    lines.push({
      level: logLevel,
      text: `${Formatter.format(message)} ${Formatter.format(annotations)} ${Cause.pretty(cause)}`
    })
  })
  return { lines, logger, of: (level: string) => lines.filter((line) => line.level === level).map(({ text }) => text) }
}

const secret = "ENOSPC: no space left on device, write '/var/lib/venom/journal-00000001.jsonl'"

const fullDisk = Layer.effect(
  StateRepository,
  Effect.map(StateRepository, (memory) => ({
    ...memory,
    insert: () => Effect.fail(new StorageError({ reason: "the disk is full", cause: new Error(secret) })),
    health: Effect.succeed({ _tag: "NotWritable" as const, reason: "the disk is full", since: 0 })
  }))
).pipe(Layer.provide(MemoryStateRepository.layer()))

describe("Storage that refuses", () => {
  it.live("is a 503 that says when to ask again and nothing from inside; the log has its cause", () => {
    const log = notebook()
    return Effect.gen(function* () {
      const answer = yield* submit({ content: "a" })
      assert.strictEqual(answer.status, 503)
      assert.strictEqual(answer.headers["retry-after"], "1")
      const problem = yield* problemOf(answer)
      assert.strictEqual(problem.type, "urn:venom:problem:unavailable")
      assert.notInclude(answer.text, "ENOSPC")
      assert.notInclude(answer.text, "/var/lib")
      const [line = ""] = log.of("Warn")
      assert.include(line, "the disk is full")
      assert.include(line, "ENOSPC")
      assert.include(line, "/api/v1/tasks")
    }).pipe(Effect.provide(served({ repository: fullDisk, loggers: [log.logger] })))
  })

  it.live("makes the service not ready, but leaves it alive, and neither is logged", () => {
    const log = notebook()
    return Effect.gen(function* () {
      const ready = yield* get("/health/ready")
      assert.strictEqual(ready.status, 503)
      assert.strictEqual(ready.headers["retry-after"], "1")
      assert.include((yield* problemOf(ready)).detail, "the disk is full")
      const live = yield* get("/health/live")
      assert.strictEqual(live.status, 200)
      assert.strictEqual(live.text, `{"status":"ok"}`)
      assert.strictEqual(live.headers["content-length"], "15")
      assert.isEmpty(log.of("Warn"))
    }).pipe(Effect.provide(served({ repository: fullDisk, loggers: [log.logger] })))
  })

  it.effect("gets a line in the log at most once a second, with the number of those left out", () => {
    const log = notebook()
    return Effect.gen(function* () {
      for (let count = 0; count < 10; count++) assert.strictEqual((yield* submit({ content: "a" })).status, 503)
      assert.lengthOf(log.of("Warn"), 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* submit({ content: "a" })).status, 503)
      assert.lengthOf(log.of("Warn"), 2)
      assert.include(log.of("Warn")[1], `"left_out":9`)
    }).pipe(Effect.provide(served({ repository: fullDisk, loggers: [log.logger] })))
  })
})

describe("A full queue", () => {
  it.live("is a 503 until there is room", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* submit({ content: "a" })).status, 201)
      const answer = yield* submit({ content: "b" })
      assert.strictEqual(answer.status, 503)
      assert.strictEqual(answer.headers["retry-after"], "1")
      assert.include((yield* problemOf(answer)).detail, "queue")
    }).pipe(Effect.provide(served({ memory: { maxPending: 1 } })))
  )
})

describe("A service that is shutting down", () => {
  it.live("takes nothing in, says so, and still lets everything be read", () =>
    Effect.gen(function* () {
      const { task_id } = yield* submitted((yield* submit({ content: "a" })).text)
      const draining = yield* Draining
      yield* draining.begin
      const answer = yield* submit({ content: "b" })
      assert.strictEqual(answer.status, 503)
      assert.strictEqual(answer.headers["retry-after"], "5")
      yield* problemOf(answer)
      const ready = yield* get("/health/ready")
      assert.strictEqual(ready.status, 503)
      assert.include((yield* problemOf(ready)).detail, "draining")
      assert.strictEqual((yield* get("/health/live")).status, 200)
      assert.strictEqual((yield* get(`/api/v1/tasks/${task_id}`)).status, 200)
      assert.strictEqual((yield* get("/api/v1/tasks")).status, 200)
    }).pipe(Effect.provide(served()))
  )
})

describe("A bug", () => {
  it.live("is a 500 with an id that stands in the log with its cause, and the service lives", () => {
    const log = notebook()
    const broken = () => ({
      submit: () => Effect.die(new Error(secret)),
      list: () => Stream.die(new Error(secret)),
      page: () => {
        throw new Error(secret)
      },
      readiness: Effect.die(new Error(secret))
    })
    return Effect.gen(function* () {
      const answers = [
        yield* submit({ content: "a" }),
        yield* get("/api/v1/tasks"),
        yield* get("/api/v1/tasks?limit=1"),
        yield* get("/health/ready")
      ]
      for (const answer of answers) {
        assert.strictEqual(answer.status, 500)
        assert.notInclude(answer.text, "ENOSPC")
        assert.notInclude(answer.text, ".ts")
        const { error_id } = yield* problemOf(answer)
        const [line = "", ...others] = log.of("Error").filter((text) => text.includes(error_id ?? "no id"))
        assert.isEmpty(others)
        assert.include(line, "ENOSPC")
        assert.include(line, ".test.ts")
      }
      assert.lengthOf(log.of("Error"), answers.length)
      assert.strictEqual((yield* get("/health/live")).status, 200)
    }).pipe(Effect.provide(served({ orchestrator: broken, loggers: [log.logger] })))
  })
})

describe("The log", () => {
  it.effect("has no line for a request that is answered in time, nor for one that is the client's fault", () => {
    const log = notebook()
    return Effect.gen(function* () {
      yield* submit({ content: "a", run_at: "2999-01-01T00:00:00Z" })
      yield* submit({})
      yield* post("{", { "content-type": "text/plain" })
      yield* get("/api/v1/tasks")
      yield* get("/nope")
      assert.deepStrictEqual(
        log.lines.map(({ text }) => text),
        log.lines.filter(({ text }) => text.includes("Listening")).map(({ text }) => text)
      )
    }).pipe(Effect.provide(served({ loggers: [log.logger] })))
  })

  it.effect("has a line for a slow one, with its method, its path and its time, but none for a probe", () => {
    const log = notebook()
    const slow = () => ({
      get: (taskId: TaskNotFound["taskId"]) =>
        Effect.andThen(TestClock.adjust("1500 millis"), Effect.fail(new TaskNotFound({ taskId }))),
      readiness: Effect.as(TestClock.adjust("1500 millis"), [])
    })
    return Effect.gen(function* () {
      const id = "0198c0de-0000-7000-8000-000000000000"
      assert.strictEqual((yield* get("/health/ready")).status, 200)
      assert.isEmpty(log.of("Warn"))
      assert.strictEqual((yield* get(`/api/v1/tasks/${id}`)).status, 404)
      const [line = ""] = log.of("Warn")
      assert.include(line, "1500 ms")
      assert.include(line, "GET")
      assert.include(line, id)
    }).pipe(Effect.provide(served({ orchestrator: slow, loggers: [log.logger] })))
  })

  it.effect("has one line a second for those that are slow, which says how many were left out", () => {
    const log = notebook()
    return Effect.gen(function* () {
      const all = yield* Deferred.make<void>()
      let arrived = 0
      const slow = () => ({
        get: (taskId: TaskNotFound["taskId"]) =>
          Effect.gen(function* () {
            if (++arrived % 3 === 0) yield* Deferred.succeed(all, undefined)
            yield* Effect.sleep("1500 millis")
            return yield* new TaskNotFound({ taskId })
          })
      })
      yield* Effect.gen(function* () {
        const one = get("/api/v1/tasks/0198c0de-0000-7000-8000-000000000000")
        const asked = yield* Effect.forkChild(Effect.all([one, one, one], { concurrency: 3 }))
        yield* Deferred.await(all)
        yield* TestClock.adjust("1500 millis")
        yield* Fiber.join(asked)
        assert.lengthOf(log.of("Warn"), 1)
        const last = yield* Effect.forkChild(one)
        yield* Effect.raceFirst(Fiber.await(last), Effect.forever(TestClock.adjust("100 millis")))
        assert.lengthOf(log.of("Warn"), 2)
        assert.include(log.of("Warn")[1], `"left_out":2`)
      }).pipe(Effect.provide(served({ orchestrator: slow, loggers: [log.logger] })))
    })
  })
})
