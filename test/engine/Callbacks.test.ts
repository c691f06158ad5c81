import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Context, Option, Result, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as HttpCallbackSender from "../../src/adapters/http/HttpCallbackSender.ts"
import * as Signature from "../../src/adapters/http/Signature.ts"
import * as Callback from "../../src/domain/Callback.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import type { TaskId, VenomTask } from "../../src/domain/Task.ts"
import { permanent } from "../../src/domain/TaskError.ts"
import { CallbackSender } from "../../src/ports/CallbackSender.ts"
import { StorageError } from "../../src/ports/StorageError.ts"
import { serve } from "../adapters/http/servers.ts"
import { idOf, submitted } from "../support/tasks.ts"
import { type Options, quiet, type Run, start, type TestEngine } from "./engine.ts"

const secret = Schema.decodeSync(Signature.Secret)(`whsec_${Buffer.alloc(32, 3).toString("base64")}`)

/** A receiver that answers with these statuses, then 204, and what tells it of ended tasks. */
const receiver = Effect.fnUntraced(function* (...statuses: ReadonlyArray<number>) {
  const left = [...statuses]
  const service = yield* serve((response) => response.writeHead(left.shift() ?? 204).end())
  const target = { url: service.url, secrets: [secret], headers: {}, allowPrivate: true }
  const sender = Context.get(
    yield* Layer.build(HttpCallbackSender.layer({ types: { quiet: null }, others: target })),
    CallbackSender
  )
  const begin = (run: Run, options?: Options) => Effect.provideService(start(run, options), CallbackSender, sender)
  return { ...service, sender, begin }
})

const turnOfTheLoop = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

/** Waits in real time, for what comes from a real connection. */
const awaits = (engine: TestEngine, id: TaskId, isThere: (callback: VenomTask["callback"]) => boolean) =>
  Effect.gen(function* () {
    for (;;) {
      const { callback } = yield* engine.get(id)
      if (isThere(callback)) return callback
      yield* turnOfTheLoop
    }
  })

const Event = Schema.fromJsonString(
  Schema.Struct({ type: Schema.String, timestamp: Schema.String, data: Schema.Record(Schema.String, Schema.Unknown) })
)
const decode = Schema.decodeUnknownSync(Event)

const echo: Run = ({ content }) => (content === "bad" ? Effect.fail(permanent("no")) : Effect.succeed(content))

describe("callbacks", { timeout: 30_000 }, () => {
  it.effect("tell of a completed task, signed, with the task as it is", () =>
    Effect.gen(function* () {
      const there = yield* receiver()
      const engine = yield* there.begin(echo)
      const { callback, id } = yield* engine.orchestrator.submit({ content: "hello" })
      assert.deepStrictEqual(callback, Callback.waiting)
      const { body, headers } = yield* there.next
      const event = decode(body)
      assert.strictEqual(event.type, "task.completed")
      assert.deepInclude(event.data, { id, content: "hello", status: "COMPLETED", result: "hello" })
      assert.strictEqual(headers["content-type"], "application/json")
      assert.match(headers["webhook-signature"]?.toString() ?? "", /^v1,[\w+/]{43}=$/)
      assert.match(headers["webhook-id"]?.toString() ?? "", new RegExp(`^${id}-\\d+$`))
      const told = yield* awaits(engine, id, (callback) => callback?.state === "delivered")
      assert.deepInclude(told, { attempts: 1, lastError: null, nextAt: null })
    })
  )

  it.effect("tell of failed, cancelled and expired tasks too", () =>
    Effect.gen(function* () {
      const there = yield* receiver()
      const engine = yield* there.begin(echo)
      const failed = yield* engine.orchestrator.submit({ content: "bad" })
      assert.deepInclude(decode((yield* there.next).body), { type: "task.failed" })
      const later = yield* engine.orchestrator.submit({ content: "x", delay: "1 hour" })
      yield* engine.orchestrator.cancel(later.id)
      assert.deepInclude(decode((yield* there.next).body).data, {
        id: later.id,
        failure: { reason: "cancelled", message: "cancelled on request" }
      })
      const overdue = yield* engine.orchestrator.submit({ content: "x", delay: "1 hour", deadline: 60_000 })
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual(decode((yield* there.next).body).data["id"], overdue.id)
      yield* awaits(engine, failed.id, (callback) => callback?.state === "delivered")
    })
  )

  it.effect("tell of tasks that a schedule has made, and of copies", () =>
    Effect.gen(function* () {
      const there = yield* receiver()
      const engine = yield* there.begin(echo)
      yield* engine.schedules.put("minute", { every: "1 minute", task: { content: "scheduled" } })
      yield* TestClock.adjust("1 minute")
      const { data } = decode((yield* there.next).body)
      assert.strictEqual(data["content"], "scheduled")
      const [{ id } = assert.fail()] = yield* engine.tasks
      yield* engine.orchestrator.submit({ copyOf: id, content: "copied" })
      assert.strictEqual(decode((yield* there.next).body).data["content"], "copied")
    })
  )

  it.effect("are not for types that are not to be told of", () =>
    Effect.gen(function* () {
      const there = yield* receiver()
      const engine = yield* there.begin(echo)
      const { id } = yield* engine.orchestrator.submit({ content: "hello", type: "quiet" })
      assert.notProperty(yield* engine.reaches(id, "COMPLETED"), "callback")
      yield* quiet
      assert.strictEqual(yield* there.count, 0)
    })
  )

  it.effect("are tried again after a backoff, with the same id, and show what went wrong", () =>
    Effect.gen(function* () {
      const there = yield* receiver(500, 404)
      const engine = yield* there.begin(echo)
      const { id } = yield* engine.orchestrator.submit({ content: "hello" })
      const first = yield* there.next
      const once = yield* awaits(engine, id, (callback) => callback?.attempts === 1)
      assert.deepInclude(once, { state: "owed", lastError: "answered 500" })
      assert.isAtLeast(once?.nextAt ?? 0, 4000)
      yield* TestClock.adjust("3 seconds")
      yield* quiet
      assert.strictEqual(yield* there.count, 0)
      yield* TestClock.adjust("4 seconds")
      const second = yield* there.next
      assert.strictEqual(second.headers["webhook-id"], first.headers["webhook-id"])
      yield* awaits(engine, id, (callback) => callback?.attempts === 2)
      yield* TestClock.adjust("15 seconds")
      yield* there.next
      const told = yield* awaits(engine, id, (callback) => callback?.state === "delivered")
      assert.deepInclude(told, { attempts: 3, lastError: "answered 404" })
    })
  )

  it.effect("are given up when they are not wanted any more", () =>
    Effect.gen(function* () {
      const there = yield* receiver(410)
      const engine = yield* there.begin(echo)
      const { id } = yield* engine.orchestrator.submit({ content: "hello" })
      const callback = yield* awaits(engine, id, (callback) => callback?.state === "given_up")
      assert.deepInclude(callback, { attempts: 1, lastError: "answered 410", nextAt: null })
    })
  )

  it.effect("that a process before has left are told by the next, and those it has told are not", () =>
    Effect.gen(function* () {
      const there = yield* receiver()
      const ended = (n: number) =>
        Result.getOrThrow(
          Result.flatMap(
            Lifecycle.claim(0)({ ...submitted(n), callback: Callback.waiting }),
            Lifecycle.complete(`result ${n}`, 0)
          )
        )
      const told = Result.getOrThrow(Callback.settle(ended(1), { _tag: "Delivered" }, { chance: 0, now: 1 })(ended(1)))
      const tasks = [told, ended(2), submitted(3)]
      const engine = yield* there.begin(echo, { tasks })
      const { body } = yield* there.next
      assert.deepInclude(decode(body).data, { id: idOf(2), result: "result 2" })
      yield* awaits(engine, idOf(2), (callback) => callback?.state === "delivered")
      yield* engine.reaches(idOf(3), "COMPLETED")
      yield* quiet
      assert.strictEqual(yield* there.count, 0)
    })
  )

  it.effect("after a retry by hand tell of the next end", () =>
    Effect.gen(function* () {
      const there = yield* receiver()
      const engine = yield* there.begin(echo)
      const { id } = yield* engine.orchestrator.submit({ content: "bad" })
      const first = yield* there.next
      yield* awaits(engine, id, (callback) => callback?.state === "delivered")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual((yield* engine.orchestrator.retry(id)).callback, Callback.waiting)
      const second = yield* there.next
      assert.notStrictEqual(second.headers["webhook-id"], first.headers["webhook-id"])
      yield* awaits(engine, id, (callback) => callback?.state === "delivered")
    })
  )

  it.effect("that storage refuses to note are noted later, and not told twice", () =>
    Effect.gen(function* () {
      const there = yield* receiver()
      let refusals = 2
      const engine = yield* there.begin(echo, {
        wrap: (repository) => ({
          ...repository,
          update: (id, transition) =>
            refusals-- > 0 ? Effect.fail(new StorageError({ reason: "full" })) : repository.update(id, transition)
        })
      })
      const { id } = yield* engine.orchestrator.submit({ content: "hello" })
      yield* there.next
      while ((yield* engine.get(id)).callback?.state !== "delivered") {
        yield* turnOfTheLoop
        yield* TestClock.adjust("1 second")
      }
      assert.strictEqual(yield* there.count, 0)
    })
  )

  it.effect("keep a task from retention until it has been told of", () =>
    Effect.gen(function* () {
      const there = yield* receiver(500)
      const engine = yield* there.begin(echo)
      const { id } = yield* engine.orchestrator.submit({ content: "hello", retention: 0 })
      const other = yield* engine.orchestrator.submit({ content: "hello", type: "quiet", retention: 0 })
      yield* there.next
      yield* awaits(engine, id, (callback) => callback?.attempts === 1)
      yield* TestClock.adjust("2 seconds")
      yield* quiet
      assert.isTrue(Option.isNone(yield* engine.repository.get(other.id)))
      assert.isTrue(Option.isSome(yield* engine.repository.get(id)))
      yield* TestClock.adjust("10 seconds")
      yield* there.next
      while (Option.isSome(yield* engine.repository.get(id))) {
        yield* turnOfTheLoop
        yield* TestClock.adjust("1 second")
      }
    })
  )

  it.effect("of a receiver that never answers hold up those of their own type alone", () =>
    Effect.gen(function* () {
      const told: Array<string> = []
      const sender: CallbackSender = {
        isFor: () => true,
        send: ({ type }) => (type === "hangs" ? Effect.never : Effect.sync(() => void told.push(type)))
      }
      const engine = yield* Effect.provideService(start(echo), CallbackSender, sender)
      const hanging = Array.from({ length: 100 }, () => ({ content: "", type: "hangs" }))
      yield* engine.orchestrator.submitAll(hanging)
      yield* TestClock.adjust("1 second")
      yield* engine.orchestrator.submit({ content: "", type: "answers" })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(told, ["answers"])
    })
  )
})
