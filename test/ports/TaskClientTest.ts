import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, Option, References, Result, Schema, type Scope, Stream } from "effect"
import { TaskFailed, TaskHandlers, TaskType } from "../../src/index.ts"
import { TaskClient } from "../../src/ports/TaskClient.ts"
import type { TaskRunner } from "../../src/ports/TaskRunner.ts"
import { idOf } from "../support/tasks.ts"

/** Makes a client of a queue of its own, with this runner. */
export type MakeClient = (runner: Layer.Layer<TaskRunner>) => Layer.Layer<TaskClient, unknown>

const Refused = Schema.Struct({ code: Schema.Int })
const Work = TaskType.make("work", {
  payload: Schema.Struct({ what: Schema.Literals(["answer", "refuse", "for ever"]) }),
  success: Schema.Struct({ at: Schema.Date }),
  failure: Refused,
  maxAttempts: 1,
  tags: ["typed"]
})

const runner = TaskHandlers.layer(Work).pipe(
  Layer.provide(
    Work.toLayer(({ what }, { log, progress }) =>
      Effect.gen(function* () {
        yield* log(`to ${what}`)
        yield* progress(50, "half")
        if (what === "for ever") return yield* Effect.never
        return what === "answer" ? { at: new Date(0) } : yield* Effect.fail({ code: 550 })
      })
    )
  )
)

const type = "work"
const content = (what: string) => JSON.stringify({ what })

/** Holds a client to every sentence of `TaskClient`. */
export const suite = (name: string, make: MakeClient): void => {
  const test = (
    promise: string,
    body: (client: TaskClient["Service"]) => Effect.Effect<unknown, unknown, Scope.Scope | TaskClient>
  ) =>
    it.live(promise, () =>
      Effect.flatMap(TaskClient, body).pipe(
        Effect.timeout(Duration.seconds(10)),
        Effect.scoped,
        Effect.provide(
          Layer.fresh(make(runner)).pipe(Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None")))
        )
      )
    )

  describe(`${name} task client`, () => {
    test("submits a task that is there then, as it was asked for and as its type has it", (client) =>
      Effect.gen(function* () {
        const request = { type, content: content("for ever"), priority: -5, uniqueKey: "one", timeout: "1 minute" }
        const { id } = yield* client.submit(request)
        assert.deepInclude(yield* client.get(id), { ...request, id, tags: ["typed"], maxAttempts: 1 })
        // an unfinished task has the key
        assert.strictEqual((yield* client.submit(request)).id, id)
      }))

    test("submits once for an idempotency key", (client) =>
      Effect.gen(function* () {
        const request = { type, content: content("answer") }
        const first = yield* client.submit(request, { idempotencyKey: "one" })
        const second = yield* client.submit(request, { idempotencyKey: "one" })
        const third = yield* client.submit(request, { idempotencyKey: "two" })
        assert.strictEqual(second.id, first.id)
        assert.notStrictEqual(third.id, first.id)
        const other = { ...request, content: content("refuse") }
        const reused = yield* Effect.flip(client.submit(other, { idempotencyKey: "one" }))
        assert.strictEqual(reused._tag, "IdempotencyKeyReused")
      }))

    test("tells every field that is wrong, and then nothing has happened", (client) =>
      Effect.gen(function* () {
        const invalid = yield* Effect.flip(client.submit({ type, content: '{"what":1,"why":2}' }))
        assert.deepStrictEqual(invalid._tag === "InvalidContent" && invalid.issues.map(({ path }) => path).toSorted(), [
          "content.what",
          "content.why"
        ])
      }))

    test("knows no task that is not there", (client) =>
      Effect.gen(function* () {
        for (const asked of [
          client.get(idOf(1)),
          client.wait(idOf(1)),
          client.cancel(idOf(1)),
          Stream.runDrain(client.events(idOf(1)))
        ]) {
          const error = yield* Effect.flip(asked)
          assert.strictEqual(error._tag === "TaskNotFound" && error.taskId, idOf(1))
        }
      }))

    test("waits until a task is final, and has then all of it", (client) =>
      Effect.gen(function* () {
        const answered = yield* client.submit({ type, content: content("answer") })
        const refused = yield* client.submit({ type, content: content("refuse") })
        assert.deepInclude(yield* client.wait(answered.id), {
          status: "COMPLETED",
          result: '{"at":"1970-01-01T00:00:00.000Z"}'
        })
        assert.deepStrictEqual((yield* client.wait(refused.id)).failure, {
          reason: "error",
          message: '{"code":550}',
          data: { code: 550 }
        })
        assert.strictEqual((yield* client.wait(answered.id)).status, "COMPLETED")
      }))

    test("leaves a task alone when a waiting is interrupted", (client) =>
      Effect.gen(function* () {
        const { id } = yield* client.submit({ type, content: content("for ever") })
        const waiting = yield* Effect.forkChild(client.wait(id), { startImmediately: true })
        yield* Stream.runHead(Stream.filter(client.events(id), ({ _tag }) => _tag === "Progress"))
        yield* Fiber.interrupt(waiting)
        assert.strictEqual((yield* client.get(id)).status, "PROCESSING")
      }))

    test("cancels a task that is not final, and whoever waits for it is told", (client) =>
      Effect.gen(function* () {
        const { id } = yield* client.submit({ type, content: content("for ever") })
        const waiting = yield* Effect.forkChild(client.wait(id), { startImmediately: true })
        assert.strictEqual((yield* client.cancel(id)).failure?.reason, "cancelled")
        assert.strictEqual((yield* Fiber.join(waiting)).failure?.reason, "cancelled")
        const again = yield* Effect.flip(client.cancel(id))
        assert.strictEqual(again._tag === "IllegalTransition" && again.status, "FAILED")
      }))

    test("tells what happens to a task, from where it is to its final status", (client) =>
      Effect.gen(function* () {
        const { id } = yield* client.submit({ type, content: content("answer"), delay: 300 })
        const all = yield* Stream.runCollect(client.events(id))
        const [first] = all
        assert.strictEqual(first?._tag === "Status" && first.task.status, "PENDING")
        assert.isTrue(all.some((event) => event._tag === "Log" && event.line.endsWith("to answer")))
        assert.isTrue(all.some((event) => event._tag === "Progress" && event.progress.percent === 50))
        const last = all.at(-1)
        assert.deepInclude(last?._tag === "Status" ? last.task : undefined, {
          id,
          status: "COMPLETED",
          attempt: 1,
          result: '{"at":"1970-01-01T00:00:00.000Z"}',
          failure: null
        })
        const over = yield* Stream.runCollect(client.events(id))
        assert.deepStrictEqual(over.at(-1), last)
      }))

    test("carries typed tasks", () =>
      Effect.gen(function* () {
        const answered = yield* Work.submit({ what: "answer" })
        assert.deepStrictEqual(yield* answered.await, { at: new Date(0) })
        const refused = yield* Work.submit({ what: "refuse" })
        assert.deepStrictEqual(yield* Effect.flip(refused.await), { code: 550 })
        assert.deepStrictEqual(yield* refused.poll, Option.some(Result.fail({ code: 550 })))
        const running = yield* Work.submit({ what: "for ever" })
        assert.deepStrictEqual(yield* running.poll, Option.none())
        yield* running.cancel
        const cancelled = yield* Effect.flip(running.await)
        assert.strictEqual(cancelled instanceof TaskFailed && cancelled.reason, "cancelled")
        const [last] = (yield* Stream.runCollect(running.events)).slice(-1)
        assert.deepStrictEqual(last?._tag === "Status" && Option.isSome(last.outcome), true)
      }))
  })
}
