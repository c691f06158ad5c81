import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option, Result, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { fromWire, toJson } from "../../src/domain/TaskJson.ts"
import { StorageError } from "../../src/ports/StorageError.ts"
import { after, idOf, submitted } from "../support/tasks.ts"
import { type Run, start } from "./engine.ts"

const done: Run = () => Effect.succeed("")
const idle = { settings: { concurrency: 0 } }
const range = (count: number) => Array.from({ length: count }, (_, n) => n)

/** What TypeScript lets an application ask for. */
const Span = Schema.Union([Schema.String, Schema.Number, Schema.Literals(["1 second", "10 seconnds", "-1 second"])])
const AnyNumber = Schema.Union([Schema.Number, Schema.Int, Schema.Literals([0.5, -1, 1e15, 1e16])])
const AnyRequest = Schema.Struct({
  content: Schema.String,
  type: Schema.optionalKey(Schema.Union([Schema.String, Schema.Literal("mail")])),
  priority: Schema.optionalKey(AnyNumber),
  runAt: Schema.optionalKey(AnyNumber),
  delay: Schema.optionalKey(Span),
  maxAttempts: Schema.optionalKey(AnyNumber),
  tags: Schema.optionalKey(Schema.Array(Schema.String)),
  timeout: Schema.optionalKey(Span),
  backoff: Schema.optionalKey(Schema.Struct({ base: Schema.optionalKey(Span), jitter: Schema.optionalKey(AnyNumber) })),
  deadline: Schema.optionalKey(AnyNumber),
  concurrencyKey: Schema.optionalKey(Schema.String),
  uniqueKey: Schema.optionalKey(Schema.String),
  retention: Schema.optionalKey(Span)
})

describe("submit", () => {
  it.effect.prop(
    "takes what can be written and read again, and refuses all else by its fields",
    [AnyRequest],
    ([request]) =>
      Effect.gen(function* () {
        const engine = yield* start(done, idle)
        const result = yield* Effect.result(engine.orchestrator.submit(request))
        if (Result.isFailure(result)) {
          assert.strictEqual(result.failure._tag, "InvalidContent")
          assert.match(result.failure.message, /^[a-z]\w*(\[\d+\])?(\.\w+)?: Expected/)
          assert.deepStrictEqual(yield* engine.tasks, [])
        } else {
          assert.deepStrictEqual(fromWire(JSON.parse(toJson(result.success))), Result.succeed(result.success))
        }
      }),
    { timeout: 30_000, arbitrary: { runs: 100 } }
  )

  it.effect.each([
    [{ content: "x", runAt: 0.5 }, "runAt"],
    [{ content: "x", priority: 1.5 }, "priority"],
    [{ content: "x", maxAttempts: -3 }, "maxAttempts"],
    [{ content: "x", backoff: { base: "10 seconnds" } }, "backoff.base"],
    [{ content: "x", uniqueKey: "" }, "uniqueKey"],
    [{ content: "x", type: "no type" }, "type"],
    [{ content: "x".repeat(1024 * 1024 + 1) }, "content"]
  ] as const)("refuses %o", ([request, path]) =>
    Effect.gen(function* () {
      const engine = yield* start(done, idle)
      const { orchestrator } = engine
      for (const error of [
        yield* Effect.flip(orchestrator.submit(request)),
        yield* Effect.flip(orchestrator.submitAll([request]))
      ]) {
        assert.isTrue(error._tag === "InvalidContent" && error.issues.some((issue) => issue.path.endsWith(path)))
      }
      assert.deepStrictEqual(yield* engine.tasks, [])
    })
  )
})

describe("submitAll", () => {
  it.effect("takes all of them, in their order, and their ids grow in it", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, idle)
      const tasks = yield* engine.orchestrator.submitAll(range(1000).map((n) => ({ content: `${n}` })))
      const ids = tasks.map(({ id }) => id)
      assert.deepStrictEqual(ids, ids.toSorted())
      assert.strictEqual(new Set(ids).size, 1000)
      for (const [n, { content, id }] of tasks.entries()) {
        assert.strictEqual(content, `${n}`)
        assert.strictEqual((yield* engine.get(id)).content, content)
      }
      assert.deepStrictEqual(yield* engine.orchestrator.submitAll([]), [])
    })
  )

  it.effect("takes none where there is no room for all", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, { ...idle, maxPending: 5 })
      const many = (count: number) => engine.orchestrator.submitAll(range(count).map(() => ({ content: "x" })))
      assert.strictEqual((yield* Effect.flip(many(6)))._tag, "QueueFull")
      assert.deepStrictEqual(yield* engine.tasks, [])
      assert.lengthOf(yield* many(5), 5)
    })
  )

  it.effect("answers with the task that has a unique key, also of the same request", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, idle)
      const [one, two, three] = yield* engine.orchestrator.submitAll([
        { content: "1", uniqueKey: "k" },
        { content: "2" },
        { content: "3", uniqueKey: "k" }
      ])
      assert.strictEqual(three?.id, one?.id)
      assert.notStrictEqual(two?.id, one?.id)
      assert.strictEqual((yield* engine.orchestrator.submit({ content: "4", uniqueKey: "k" })).id, one?.id)
      assert.lengthOf(yield* engine.tasks, 2)
    })
  )
})

describe("a copy", () => {
  const finished = after(
    submitted(1, { type: "mail", priority: 3, tags: ["a"], deadline: 9, uniqueKey: "k", timeout: "1 minute" }),
    Lifecycle.cancel(0)
  )

  it.effect("is a new task as the other was submitted, with changes", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, { ...idle, tasks: [finished] })
      const copy = yield* engine.orchestrator.submit({ copyOf: finished.id, priority: -1 })
      assert.deepStrictEqual(
        [copy.content, copy.type, copy.priority, copy.tags, copy.timeout, copy.status, copy.attempt],
        [finished.content, "mail", -1, ["a"], "1 minute", "PENDING", 0]
      )
      assert.deepStrictEqual([copy.deadline, copy.uniqueKey], [undefined, undefined])
      const [again, other] = yield* engine.orchestrator.submitAll([
        { copyOf: finished.id, content: "new" },
        { content: "other" }
      ])
      assert.deepStrictEqual([again?.content, again?.type, other?.type], ["new", "mail", "default"])
    })
  )

  it.effect("of a task that is not there is refused, and with it all that is submitted together", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, idle)
      const { submit, submitAll } = engine.orchestrator
      for (const refused of [
        Effect.flip(submit({ copyOf: idOf(9) })),
        Effect.flip(submitAll([{ content: "a" }, { copyOf: idOf(9) }]))
      ]) {
        const error = yield* refused
        assert(error._tag === "TaskNotFound")
        assert.strictEqual(error.taskId, idOf(9))
      }
      assert.deepStrictEqual(yield* engine.tasks, [])
    })
  )
})

describe("an idempotency key", () => {
  it.effect("answers the same request with the first task, as it is by then", () =>
    Effect.gen(function* () {
      const engine = yield* start(done)
      const once = (key: string) => engine.orchestrator.submitOnce(key, { content: "x", tags: ["a"], priority: 1 })
      const first = yield* once("k")
      assert.isFalse(first.replayed)
      yield* engine.reaches(first.task.id, "COMPLETED")
      const again = yield* engine.orchestrator.submitOnce("k", { priority: 1, tags: ["a"], content: "x" })
      assert.deepStrictEqual(again, { task: { id: first.task.id, status: "COMPLETED" }, replayed: true })
      assert.notStrictEqual((yield* once("other")).task.id, first.task.id)
      assert.lengthOf(yield* engine.tasks, 2)
    })
  )

  it.effect("answers with the id when the task has been deleted", () =>
    Effect.gen(function* () {
      const engine = yield* start(done)
      const once = engine.orchestrator.submitOnce("k", { content: "x" })
      const { task } = yield* once
      yield* engine.reaches(task.id, "COMPLETED")
      yield* engine.orchestrator.remove(task.id)
      assert.deepStrictEqual(yield* once, { task: { id: task.id, status: "PENDING" }, replayed: true })
      assert.deepStrictEqual(yield* engine.tasks, [])
    })
  )

  it.effect("is refused for another request, one among many included", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, idle)
      const { submitAllOnce, submitOnce } = engine.orchestrator
      yield* submitOnce("k", { content: "x", uniqueKey: "a" })
      for (const other of [
        Effect.flip(submitOnce("k", { content: "X", uniqueKey: "a" })),
        Effect.flip(submitOnce("k", { content: "x" })),
        Effect.flip(submitOnce("k", { content: "x", uniqueKey: "a", priority: 0 })),
        Effect.flip(submitAllOnce("k", [{ content: "x", uniqueKey: "a" }]))
      ]) {
        assert.strictEqual((yield* other)._tag, "IdempotencyKeyReused")
      }
      assert.lengthOf(yield* engine.tasks, 1)
    })
  )

  it.effect("stands for all tasks of a bulk, and their order", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, idle)
      const requests = range(20).map((n) => ({ content: `${n}`, uniqueKey: `${n % 15}` }))
      const first = yield* engine.orchestrator.submitAllOnce("k", requests)
      const again = yield* engine.orchestrator.submitAllOnce("k", requests)
      const ids = (tasks: typeof first.tasks) => tasks.map(({ id }) => id)
      assert.deepStrictEqual([first.replayed, again.replayed], [false, true])
      assert.deepStrictEqual(ids(again.tasks), ids(first.tasks))
      assert.strictEqual(new Set(ids(again.tasks)).size, 15)
      const reordered = engine.orchestrator.submitAllOnce("k", requests.toReversed())
      assert.strictEqual((yield* Effect.flip(reordered))._tag, "IdempotencyKeyReused")
    })
  )

  it.effect("stands for the task that was there, where that had the unique key", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, idle)
      const { id } = yield* engine.orchestrator.submit({ content: "x", uniqueKey: "u" })
      const once = engine.orchestrator.submitOnce("k", { content: "y", uniqueKey: "u" })
      assert.strictEqual((yield* once).task.id, id)
      yield* engine.orchestrator.cancel(id)
      assert.deepStrictEqual(yield* once, { task: { id, status: "FAILED" }, replayed: true })
    })
  )

  it.effect("stands for a copy after the task that was copied is gone", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, { ...idle, tasks: [after(submitted(1), Lifecycle.cancel(0))] })
      const once = engine.orchestrator.submitOnce("k", { copyOf: idOf(1) })
      const first = yield* once
      yield* engine.orchestrator.remove(idOf(1))
      assert.strictEqual((yield* once).task.id, first.task.id)
    })
  )

  it.effect("is known for 24 hours", () =>
    Effect.gen(function* () {
      const engine = yield* start(done, idle)
      const once = engine.orchestrator.submitOnce("k", { content: "x" })
      const first = yield* once
      yield* TestClock.adjust(Duration.toMillis("24 hours") - 1)
      assert.strictEqual((yield* once).task.id, first.task.id)
      yield* TestClock.adjust("1 millis")
      const second = yield* once
      assert.isFalse(second.replayed)
      assert.notStrictEqual(second.task.id, first.task.id)
      assert.isTrue((yield* once).replayed)
    })
  )

  it.effect("is not taken by a request that is refused", () =>
    Effect.gen(function* () {
      let isOut = true
      const engine = yield* start(done, {
        ...idle,
        maxPending: 1,
        wrap: (repository) => ({
          ...repository,
          insert: (tasks, put) =>
            Effect.suspend(() =>
              isOut ? Effect.fail(new StorageError({ reason: "out" })) : repository.insert(tasks, put)
            )
        })
      })
      const { submit, submitOnce } = engine.orchestrator
      const once = submitOnce("k", { content: "x" })
      assert.strictEqual((yield* Effect.flip(once))._tag, "StorageError")
      isOut = false
      const { id } = yield* submit({ content: "first" })
      assert.strictEqual((yield* Effect.flip(once))._tag, "QueueFull")
      assert.strictEqual((yield* Effect.flip(submitOnce("k", { copyOf: idOf(9) })))._tag, "TaskNotFound")
      assert.deepStrictEqual(yield* engine.repository.entries("idempotency/"), [])
      yield* engine.orchestrator.cancel(id)
      const { replayed } = yield* submitOnce("k", { content: "another" })
      assert.isFalse(replayed)
      // and what was answered is answered again by a queue that is full
      assert.isTrue((yield* submitOnce("k", { content: "another" })).replayed)
      yield* engine.stop
      const late = yield* Effect.result(submitOnce("k", { content: "another" }))
      assert.strictEqual(Option.getOrThrow(Result.getFailure(late))._tag, "ServiceDraining")
    })
  )
})
