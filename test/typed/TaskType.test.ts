import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Option, Ref, References, Result, Schema, type Scope, Stream } from "effect"
import { expectTypeOf } from "vitest"
import {
  Orchestrator,
  TaskError,
  TaskFailed,
  TaskHandlers,
  type TaskRequest,
  TaskRunner,
  TaskType,
  UnreadableTask
} from "../../src/index.ts"
import type { IdempotencyKeyReused, InvalidContent, TaskNotFound } from "../../src/domain/TaskError.ts"
import type { QueueUnavailable, TaskClient } from "../../src/ports/TaskClient.ts"
import { layerTest, TestQueue } from "../../src/testing.ts"
import { Bounced, SendEmail } from "./SendEmail.ts"

const email = (address: string, subject = "hello") => ({ to: { address }, subject })

/** Fails as often as its subject says. */
const sending = SendEmail.toLayer(({ subject, to: { address } }, { task }) =>
  task.attempt <= Number(subject)
    ? Effect.fail(new Bounced({ address, ...(address.startsWith("later") ? { retryAfter: 60_000 } : {}) }))
    : Effect.succeed({ sentAt: new Date(0) })
)
const queue = layerTest({ runner: TaskHandlers.layer(SendEmail).pipe(Layer.provide(sending)) })

const Note = TaskType.make("note", { payload: Schema.String, maxAttempts: 2 })

const notes = <R>(handler: TaskType.Handle<string, void, never, R>) =>
  TaskHandlers.layer(Note).pipe(Layer.provide(Note.toLayer(handler)))

describe("a typed task", () => {
  it.effect("is submitted by its payload, run by its handler and awaited as its result", () =>
    Effect.gen(function* () {
      const handle = yield* SendEmail.submit(email("you@here.org"))
      assert.deepStrictEqual(yield* handle.poll, Option.none())
      const [task] = yield* (yield* TestQueue).drain
      assert.strictEqual(task?.content, '{"to":{"address":"you@here.org"},"subject":"hello"}')
      assert.strictEqual(task?.result, '{"sentAt":"1970-01-01T00:00:00.000Z"}')
      assert.deepStrictEqual(yield* handle.await, { sentAt: new Date(0) })
      assert.deepStrictEqual(yield* handle.poll, Option.some(Result.succeed({ sentAt: new Date(0) })))
    }).pipe(Effect.provide(queue))
  )

  it.effect("is tried again after a failure as its policy says: by its backoff, after a time, or not at all", () =>
    Effect.gen(function* () {
      const { drain } = yield* TestQueue
      const soon = yield* SendEmail.submit(email("you@here.org", "1"))
      const later = yield* SendEmail.submit(email("later@here.org", "2"))
      const never = yield* SendEmail.submit(email("never@here.org", "9"))
      const starts = (yield* drain).map(({ attempts }) => attempts.map(({ startedAt }) => startedAt))
      assert.deepStrictEqual(starts, [
        [0, 10_000],
        [0, 60_000, 120_000],
        [0, 10_000, 20_000]
      ])
      assert.deepStrictEqual(yield* soon.await, { sentAt: new Date(0) })
      assert.deepStrictEqual(yield* later.await, { sentAt: new Date(0) })
      assert.instanceOf(yield* Effect.flip(never.await), Bounced)
    }).pipe(Effect.provide(queue))
  )

  it.effect("keeps what it failed with: as a value for its type, in words for everybody", () =>
    Effect.gen(function* () {
      const { id, poll } = yield* SendEmail.submit(email("no@here.org", "9"))
      const [task] = yield* (yield* TestQueue).drain
      assert.deepStrictEqual(task?.failure, {
        reason: "error",
        message: "no@here.org does not exist",
        data: { _tag: "Bounced", address: "no@here.org" }
      })
      const failed = Result.fail(new Bounced({ address: "no@here.org" }))
      assert.deepStrictEqual(yield* poll, Option.some(failed))
      // whoever has nothing but the id
      const handle = yield* SendEmail.handle(id)
      assert.deepStrictEqual(yield* Effect.result(handle.await), failed)
    }).pipe(Effect.provide(queue))
  )

  it.effect("fails in words where its type has no failure for it", () =>
    Effect.gen(function* () {
      const { drain, settle } = yield* TestQueue
      const words: ReadonlyArray<string> = ["cancelled", "permanent", "retryable", "defect"]
      const handles = yield* Effect.forEach(words, (word) => Note.submit(word))
      yield* settle
      yield* Effect.forEach(handles.slice(0, 1), ({ cancel }) => cancel)
      yield* drain
      const failures = yield* Effect.forEach(handles, (handle) => Effect.flip(handle.await))
      assert.deepStrictEqual(
        failures.map((failure) => (failure instanceof TaskFailed ? [failure.reason, failure.said] : failure)),
        [
          ["cancelled", "cancelled on request"],
          ["error", "never"],
          ["error", "once more"],
          ["defect", "boom"]
        ]
      )
      assert.strictEqual(failures[1]?.message, `Task ${handles[1]?.id} failed (error): never`)
    }).pipe(
      Effect.provide(
        layerTest({
          runner: notes((word) => {
            switch (word) {
              case "permanent":
                return Effect.fail(TaskError.permanent("never"))
              case "retryable":
                return Effect.fail(TaskError.retryable("once more"))
              case "defect":
                return Effect.die("boom")
              default:
                return Effect.never
            }
          })
        })
      )
    )
  )

  it.effect("may have nothing to say: no result and no failure of its own", () =>
    Effect.gen(function* () {
      const handle = yield* Note.submit("hello")
      const [task] = yield* (yield* TestQueue).drain
      assert.deepStrictEqual([task?.content, task?.result], ['"hello"', "null"])
      assert.strictEqual(yield* handle.await, undefined)
    }).pipe(Effect.provide(layerTest({ runner: notes(() => Effect.void) })))
  )

  it.effect("tells what happens to it, with the outcome at the end", () =>
    Effect.gen(function* () {
      const { drain, settle } = yield* TestQueue
      const { events } = yield* Note.submit("hello")
      const told = yield* Effect.forkChild(Stream.runCollect(events), { startImmediately: true })
      yield* settle
      yield* drain
      const all = yield* Fiber.join(told)
      const lines = all.flatMap((event) => (event._tag === "Log" ? [event.line.slice(25)] : []))
      assert.include(lines, "half done")
      assert.isTrue(all.some((event) => event._tag === "Progress" && event.progress.percent === 50))
      const statuses = all.flatMap((event) => (event._tag === "Status" ? [event] : []))
      assert.deepStrictEqual(statuses[0]?.outcome, Option.none())
      assert.deepStrictEqual(statuses.at(-1)?.outcome, Option.some(Result.succeed(undefined)))
      assert.strictEqual(all.at(-1), statuses.at(-1))
      // from the end it is told what there is to tell
      const [last, ...none] = yield* Stream.runCollect(events)
      assert.deepStrictEqual([last?._tag, none], ["Status", []])
    }).pipe(
      Effect.provide(
        layerTest({
          runner: notes((_, { log, progress }) => Effect.andThen(log("half done"), progress(50, null)))
        })
      )
    )
  )

  it.effect("of another type is not taken for one of this", () =>
    Effect.gen(function* () {
      const { id } = yield* Note.submit("hello")
      const handle = yield* SendEmail.handle(id)
      const error = yield* Effect.flip(handle.poll)
      assert.instanceOf(error, UnreadableTask)
      assert.strictEqual(error.message, `Task ${id} cannot be read: it is of type note, not send-email`)
    }).pipe(Effect.provide(layerTest({ runner: notes(() => Effect.void) })))
  )

  it.effect("is submitted once for an idempotency key, also when time has passed", () =>
    Effect.gen(function* () {
      const { advance, submitted } = yield* TestQueue
      const first = yield* SendEmail.submit(email("you@here.org"), { idempotencyKey: "one" })
      yield* advance("1 minute")
      const second = yield* SendEmail.submit(email("you@here.org"), { idempotencyKey: "one" })
      assert.strictEqual(first.id, second.id)
      assert.strictEqual((yield* submitted)[0]?.deadline, 3_600_000)
      const other = yield* Effect.flip(SendEmail.submit(email("me@here.org"), { idempotencyKey: "one" }))
      assert.strictEqual(other._tag, "IdempotencyKeyReused")
    }).pipe(Effect.provide(queue))
  )
})

describe("what a type says of its tasks", () => {
  const wishes: Partial<TaskRequest> = {
    type: "send-email",
    priority: 3,
    maxAttempts: 4,
    timeout: "30 seconds",
    backoff: { kind: "fixed", base: "10 seconds", jitter: 0 },
    deadline: 3_600_000,
    retention: "1 day",
    tags: ["mail"],
    concurrencyKey: "here.org",
    uniqueKey: "you@here.org hello"
  }

  it.effect("holds for whoever submits one, by its payload or as text", () =>
    Effect.gen(function* () {
      const { submitted } = yield* TestQueue
      const orchestrator = yield* Orchestrator
      yield* SendEmail.submit(email("you@here.org"))
      const text = { type: "send-email", content: '{"subject":"hello","to":{"address":"me@here.org"}}' }
      yield* orchestrator.submit(text)
      const [typed, plain] = yield* submitted
      assert.deepInclude(typed, wishes)
      assert.deepInclude(plain, { ...wishes, uniqueKey: "me@here.org hello" })
    }).pipe(Effect.provide(queue))
  )

  it.effect("gives way to what a request says", () =>
    Effect.gen(function* () {
      const own = {
        priority: 0,
        maxAttempts: 1,
        timeout: 5,
        deadline: 9,
        tags: [],
        concurrencyKey: "a",
        uniqueKey: "b"
      }
      yield* SendEmail.submit(email("you@here.org"), { ...own, runAt: 5 })
      const [task] = yield* (yield* TestQueue).submitted
      assert.deepInclude(task, { ...wishes, ...own, runAt: 5 })
    }).pipe(Effect.provide(queue))
  )

  it.effect("keeps out what is no payload, and keys that are none", () =>
    Effect.gen(function* () {
      const wrong = yield* Effect.flip(SendEmail.submit({ to: { address: "x" }, subject: "" }))
      assert.deepStrictEqual(wrong._tag === "InvalidContent" && wrong.issues.map(({ path }) => path), [
        "content.to.address"
      ])
      const long = yield* Effect.flip(SendEmail.submit(email("you@here.org", "x".repeat(300))))
      assert.deepStrictEqual(long._tag === "InvalidContent" && long.issues.map(({ path }) => path), ["unique_key"])
      const huge = yield* Effect.flip(Note.submit("x".repeat(1024 * 1024)))
      assert.deepStrictEqual(huge._tag === "InvalidContent" && huge.issues.map(({ path }) => path), ["content"])
      assert.deepStrictEqual(yield* (yield* TestQueue).submitted, [])
    }).pipe(Effect.provide(queue))
  )

  it("is looked at when the type is made", () => {
    const payload = Schema.String
    assert.throws(() => TaskType.make("no spaces", { payload }), /letters, digits/)
    assert.throws(() => TaskType.make("note", { payload, priority: 101 }), /100/)
    assert.throws(() => TaskType.make("note", { payload, timeout: "soon" }), /duration/)
    assert.throws(() => TaskType.make("note", { payload, deadline: "never" }), /duration/)
    assert.throws(() => TaskType.make("note", { payload, backoff: { base: "0 millis" } }), /duration/)
  })
})

describe("a handler", () => {
  class Greeting extends Context.Service<Greeting, string>()("test/Greeting") {}

  it.effect("has the services of the application, and a scope for each attempt", () =>
    Effect.gen(function* () {
      const said = yield* Ref.make<ReadonlyArray<string>>([])
      const say = (word: string) => Ref.update(said, (words) => [...words, word])
      const runner = TaskHandlers.layer(Note).pipe(
        Layer.provide(
          Note.toLayer(
            Effect.as(say("made once"), (name: string) =>
              Effect.gen(function* () {
                yield* Effect.addFinalizer(() => say("closed"))
                yield* say(`${yield* Greeting} ${name}`)
              })
            )
          )
        ),
        Layer.provide(Layer.succeed(Greeting, "hello"))
      )
      yield* Effect.gen(function* () {
        yield* Note.submit("one")
        yield* (yield* TestQueue).drain
        yield* Note.submit("two")
        yield* (yield* TestQueue).drain
      }).pipe(Effect.provide(layerTest({ runner })))
      assert.deepStrictEqual(yield* Ref.get(said), ["made once", "hello one", "closed", "hello two", "closed"])
    })
  )

  it.effect("has ended with all that it has opened when a cancel returns", () =>
    Effect.gen(function* () {
      const open = yield* Ref.make(0)
      const runner = notes(() =>
        Effect.andThen(
          Effect.acquireRelease(
            Ref.update(open, (n) => n + 1),
            () => Ref.update(open, (n) => n - 1)
          ),
          Effect.never
        )
      )
      yield* Effect.gen(function* () {
        const { cancel } = yield* Note.submit("one")
        yield* (yield* TestQueue).settle
        assert.strictEqual(yield* Ref.get(open), 1)
        yield* cancel
        assert.strictEqual(yield* Ref.get(open), 0)
      }).pipe(Effect.provide(layerTest({ runner })))
    })
  )

  it.effect("logs about its task, whatever was said where its layer was made", () =>
    Effect.gen(function* () {
      const annotations = yield* Ref.make<Readonly<Record<string, unknown>>>({})
      const runner = notes(() => Effect.flatMap(References.CurrentLogAnnotations, (now) => Ref.set(annotations, now)))
      yield* Effect.gen(function* () {
        const { id } = yield* Note.submit("one")
        yield* (yield* TestQueue).drain
        assert.deepInclude(yield* Ref.get(annotations), { task_id: id, attempt: 1 })
      }).pipe(Effect.provide(layerTest({ runner })), Effect.annotateLogs({ where: "outside" }))
    })
  )

  it.effect("that returns what is no result, or fails with what is no failure, has a defect", () =>
    Effect.gen(function* () {
      const Count = TaskType.make("count", {
        payload: Schema.Literals(["result", "failure"]),
        success: Schema.Int,
        failure: Schema.Int
      })
      const runner = TaskHandlers.layer(Count).pipe(
        Layer.provide(Count.toLayer((what) => (what === "result" ? Effect.succeed(1.5) : Effect.fail(2.5))))
      )
      yield* Effect.gen(function* () {
        yield* Count.submit("result")
        yield* Count.submit("failure")
        const tasks = yield* (yield* TestQueue).drain
        assert.deepStrictEqual(
          tasks.map(({ failure }) => [failure?.reason, failure?.message]),
          [
            ["defect", "it returned no result of count: Expected an integer"],
            ["defect", "it failed with what is no failure of count: Expected an integer"]
          ]
        )
      }).pipe(Effect.provide(layerTest({ runner })))
    })
  )

  it.effect("that is not there leaves the tasks of its type held, and a service that has it does them", () =>
    Effect.gen(function* () {
      let has = false
      const runner = Layer.unwrap(
        Effect.sync(() => (has ? notes(() => Effect.void) : TaskHandlers.layer(SendEmail).pipe(Layer.provide(sending))))
      )
      yield* Effect.gen(function* () {
        const { advance, crash, drain } = yield* TestQueue
        const { id } = yield* Note.submit("hello")
        yield* advance("1 day")
        const why = yield* (yield* Orchestrator).why(id)
        assert.strictEqual(why.sentence, "No handler for type note here.")
        has = true
        yield* crash
        assert.deepInclude((yield* drain)[0], { status: "COMPLETED", attempt: 1 })
      }).pipe(Effect.provide(layerTest({ runner })))
    })
  )
})

describe("handlers over another runner", () => {
  const others = (types?: ReadonlySet<string>) =>
    Layer.succeed(TaskRunner, {
      run: ({ content }) => Effect.succeed(content),
      ...(types === undefined ? {} : { types })
    })
  const over = (below: Layer.Layer<TaskRunner>) =>
    layerTest({
      runner: TaskHandlers.layerOver(Note).pipe(Layer.provide([below, Note.toLayer(() => Effect.void)]))
    })
  const results = Effect.gen(function* () {
    const { submit } = yield* Orchestrator
    const { settle, submitted } = yield* TestQueue
    yield* Note.submit("typed")
    yield* submit({ content: "text", type: "text" })
    yield* submit({ content: "other", type: "other" })
    yield* settle
    return new Map((yield* submitted).map(({ result, type }) => [type, result]))
  })

  it.effect("leave it all other tasks", () =>
    Effect.gen(function* () {
      const all = new Map([
        ["note", "null"],
        ["text", "text"],
        ["other", "other"]
      ])
      assert.deepStrictEqual<unknown>(yield* results, all)
    }).pipe(Effect.provide(over(others())))
  )

  it.effect("leave it those that it has work for, and what neither has is held", () =>
    Effect.gen(function* () {
      const some = new Map([
        ["note", "null"],
        ["text", "text"],
        ["other", null]
      ])
      assert.deepStrictEqual<unknown>(yield* results, some)
    }).pipe(Effect.provide(over(others(new Set(["text"])))))
  )
})

describe("a deploy that changes a type", () => {
  const Old = TaskType.make("resize", {
    payload: Schema.Struct({ width: Schema.Int }),
    success: Schema.Struct({ bytes: Schema.Int }),
    failure: Schema.Struct({ code: Schema.Int })
  })
  const New = TaskType.make("resize", {
    payload: Schema.Struct({ width: Schema.Int, height: Schema.Int }),
    success: Schema.Struct({ bytes: Schema.Int, url: Schema.String }),
    failure: Schema.Struct({ code: Schema.String })
  })
  const of = (isNew: () => boolean) =>
    Layer.unwrap(
      Effect.sync(() => {
        const lasting = New.toLayer(() => Effect.succeed({ bytes: 1, url: "/" }))
        const failing = Old.toLayer(({ width }, { task }) =>
          task.priority === 1 ? Effect.fail({ code: 7 }) : Effect.succeed({ bytes: width })
        )
        return isNew()
          ? TaskHandlers.layer(New).pipe(Layer.provide(lasting))
          : TaskHandlers.layer(Old).pipe(Layer.provide(failing))
      })
    )

  it.effect("rejects a stored payload that is one no more, and says why; others go on", () =>
    Effect.gen(function* () {
      let isNew = false
      yield* Effect.gen(function* () {
        const { crash, drain } = yield* TestQueue
        const old = yield* Old.submit({ width: 3 }, { delay: "1 hour" })
        isNew = true
        yield* crash
        const lasting = yield* New.submit({ width: 3, height: 4 })
        const tasks = yield* drain
        const rejected = tasks.find(({ id }) => id === old.id)
        assert.deepInclude(rejected, { status: "FAILED", attempt: 1, runAt: 3_600_000 })
        assert.deepStrictEqual(rejected?.failure, {
          reason: "rejected",
          message: "The content is none of type resize: content.height: Missing"
        })
        assert.instanceOf(yield* Effect.flip(old.await), TaskFailed)
        assert.deepStrictEqual(yield* lasting.await, { bytes: 1, url: "/" })
      }).pipe(Effect.provide(layerTest({ runner: of(() => isNew) })))
    })
  )

  it.effect("tells of results that are none any more, and of failures in words", () =>
    Effect.gen(function* () {
      const { drain } = yield* TestQueue
      const done = yield* Old.submit({ width: 3 })
      const failed = yield* Old.submit({ width: 3 }, { priority: 1, maxAttempts: 1 })
      yield* drain
      assert.deepStrictEqual(yield* Effect.flip(failed.await), { code: 7 })
      const unreadable = yield* Effect.flip((yield* New.handle(done.id)).await)
      assert.strictEqual(
        unreadable instanceof UnreadableTask && unreadable.said,
        "its result is not one of resize: url: Missing"
      )
      const inWords = yield* Effect.flip((yield* New.handle(failed.id)).await)
      assert.strictEqual(inWords instanceof TaskFailed && inWords.said, '{"code":7}')
    }).pipe(Effect.provide(layerTest({ runner: of(() => false) })))
  )
})

describe("types of types", () => {
  it("follow from the schemas", () => {
    type Email = { readonly to: { readonly address: string }; readonly subject: string; readonly at?: Date }
    expectTypeOf(SendEmail).toEqualTypeOf<TaskType.TaskType<"send-email", Email, { readonly sentAt: Date }, Bounced>>()
    expectTypeOf(Note).toEqualTypeOf<TaskType.TaskType<"note", string, void, never>>()
    expectTypeOf<Effect.Error<ReturnType<typeof Note.submit>>>().toEqualTypeOf<
      InvalidContent | IdempotencyKeyReused | QueueUnavailable
    >()
    expectTypeOf<Effect.Services<ReturnType<typeof Note.submit>>>().toEqualTypeOf<TaskClient>()
    type Handle = Effect.Success<ReturnType<typeof SendEmail.submit>>
    expectTypeOf<Effect.Error<Handle["await"]>>().toEqualTypeOf<
      Bounced | TaskFailed | UnreadableTask | TaskNotFound | QueueUnavailable
    >()
    const runner = TaskHandlers.layer(SendEmail, Note)
    expectTypeOf<Layer.Services<typeof runner>>().toEqualTypeOf<
      TaskType.Handler<"send-email"> | TaskType.Handler<"note">
    >()
    const over = TaskHandlers.layerOver(Note)
    expectTypeOf<Layer.Services<typeof over>>().toEqualTypeOf<TaskType.Handler<"note"> | TaskRunner>()
    class Needed extends Context.Service<Needed, string>()("test/Needed") {}
    const handler = Note.toLayer(() => Effect.andThen(Effect.scope, Effect.asVoid(Needed)))
    expectTypeOf<Layer.Services<typeof handler>>().toEqualTypeOf<Needed>()
    expectTypeOf<Parameters<typeof SendEmail.toLayer>[0]>().not.toExtend<Scope.Scope>()
  })
})
