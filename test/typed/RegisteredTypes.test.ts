import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { TaskCopyRequest } from "../../src/domain/Task.ts"
import { Orchestrator, Schedules, TaskHandlers, TaskTypes, type TaskRequest } from "../../src/index.ts"
import { RegisteredTypes } from "../../src/ports/RegisteredTypes.ts"
import { layerTest, TestQueue } from "../../src/testing.ts"
import { SendEmail } from "./SendEmail.ts"

const queue = layerTest({
  runner: TaskHandlers.layer(SendEmail).pipe(
    Layer.provide(SendEmail.toLayer(() => Effect.succeed({ sentAt: new Date(0) })))
  )
})

const type = "send-email"
const good = JSON.stringify({ to: { address: "you@here.org" }, subject: "hello" })
const bad = JSON.stringify({ to: { address: 1, name: "you" }, at: "noon" })
const issues = ["content.to.name", "content.to.address", "content.subject", "content.at"]

const pathsOf = (effect: Effect.Effect<unknown, { readonly _tag: string }, Orchestrator | Schedules>) =>
  Effect.map(Effect.flip(effect), (error) =>
    "issues" in error && Array.isArray(error.issues)
      ? error.issues.map((issue: { readonly path: string }) => issue.path)
      : error._tag
  )

describe("content that is none of its type", () => {
  it.effect("is refused with every field that is wrong, however it is submitted", () =>
    Effect.gen(function* () {
      const { submitted } = yield* TestQueue
      const { submit, submitAll, submitAllOnce, submitOnce } = yield* Orchestrator
      const request: TaskRequest = { type, content: bad }
      assert.deepStrictEqual(yield* pathsOf(submit(request)), issues)
      assert.deepStrictEqual(yield* pathsOf(submitOnce("key", request)), issues)
      const each = (n: number) => issues.map((path) => `tasks[${n}].${path}`)
      assert.deepStrictEqual(yield* pathsOf(submitAll([request])), each(0))
      const mixed: ReadonlyArray<TaskRequest> = [{ type, content: good }, request, { content: bad }, request]
      assert.deepStrictEqual(yield* pathsOf(submitAll(mixed)), [...each(1), ...each(3)])
      assert.deepStrictEqual(yield* pathsOf(submitAllOnce("key", mixed)), [...each(1), ...each(3)])
      assert.deepStrictEqual(yield* pathsOf(submit({ type, content: "hello" })), ["content"])
      assert.deepStrictEqual(yield* submitted, [])
      // the key has not been used
      yield* submitOnce("key", { type, content: good })
    }).pipe(Effect.provide(queue))
  )

  it.effect("is refused in a copy of a task and in the template of a schedule", () =>
    Effect.gen(function* () {
      const { submit } = yield* Orchestrator
      const schedules = yield* Schedules
      const { id } = yield* submit({ content: bad })
      const copy: TaskCopyRequest = { copyOf: id, type }
      assert.deepStrictEqual(yield* pathsOf(submit(copy)), issues)
      assert.strictEqual((yield* submit({ ...copy, content: good })).uniqueKey, "you@here.org hello")
      const daily = { every: "1 day", task: { type, content: bad } }
      assert.deepStrictEqual(
        yield* pathsOf(schedules.put("daily", daily)),
        issues.map((path) => `task.${path}`)
      )
      assert.deepStrictEqual(yield* schedules.list, [])
    }).pipe(Effect.provide(queue))
  )

  it.effect("of very many issues tells a hundred or so", () =>
    Effect.gen(function* () {
      const { submitAll } = yield* Orchestrator
      const paths = yield* pathsOf(submitAll(Array.from({ length: 1000 }, () => ({ type, content: bad }))))
      assert.isAtMost(paths.length, 104)
    }).pipe(Effect.provide(queue))
  )
})

describe("a schedule of a type", () => {
  it.effect("makes its tasks as the type has them, and keeps its template as it was given", () =>
    Effect.gen(function* () {
      const { advance, submitted } = yield* TestQueue
      const schedules = yield* Schedules
      const task = { type, content: good }
      const { schedule } = yield* schedules.put("daily", { every: "1 day", task })
      assert.deepStrictEqual(schedule.task, task)
      yield* advance("2 days")
      assert.deepStrictEqual<unknown>(
        (yield* submitted).map(({ maxAttempts, priority, status, tags }) => [status, priority, maxAttempts, tags]),
        [1, 2].map(() => ["COMPLETED", 3, 4, ["mail"]])
      )
    }).pipe(Effect.provide(queue))
  )

  it.effect("whose content is none any more still makes its task, which says so", () =>
    Effect.gen(function* () {
      let isKnown = false
      const none = TaskHandlers.layer()
      const runner = Layer.unwrap(
        Effect.sync(() =>
          isKnown
            ? TaskHandlers.layer(SendEmail).pipe(
                Layer.provide(SendEmail.toLayer(() => Effect.succeed({ sentAt: new Date(0) })))
              )
            : none
        )
      )
      yield* Effect.gen(function* () {
        const { advance, crash, submitted } = yield* TestQueue
        yield* (yield* Schedules).put("daily", { every: "1 day", task: { type, content: "hello" } })
        isKnown = true
        yield* crash
        yield* advance("1 day")
        const [task] = yield* submitted
        assert.strictEqual(task?.failure?.reason, "rejected")
        assert.match(task?.failure?.message ?? "", /^The content is none of type send-email: content: /)
      }).pipe(Effect.provide(layerTest({ runner })))
    })
  )
})

describe("known types", () => {
  it.effect("are those that are handled here and those that are only known", () =>
    Effect.gen(function* () {
      const other = { registered: { ...SendEmail.registered, name: "other" } }
      const names = Effect.map(RegisteredTypes, (types) => [...types.keys()])
      assert.deepStrictEqual(yield* names, [])
      assert.deepStrictEqual(yield* Effect.provide(names, TaskTypes.layer(SendEmail)), ["send-email"])
      const both = TaskHandlers.layer(SendEmail).pipe(
        Layer.provide(SendEmail.toLayer(() => Effect.never)),
        Layer.provide(TaskTypes.layer(other))
      )
      assert.deepStrictEqual(yield* Effect.provide(names, both), ["other", "send-email"])
    })
  )
})
