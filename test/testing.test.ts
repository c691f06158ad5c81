import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Option } from "effect"
import { Orchestrator } from "../src/engine/Orchestrator.ts"
import { Schedules } from "../src/engine/Schedules.ts"
import { retryable } from "../src/domain/TaskError.ts"
import { layerTest, TestQueue } from "../src/testing.ts"

describe("the queue for tests", () => {
  it.effect("jumps from one due time to the next, and says where it is", () =>
    Effect.gen(function* () {
      const venom = yield* Orchestrator
      const queue = yield* TestQueue
      yield* venom.submit({ content: "later", runAt: 5000 })
      yield* venom.submit({ content: "sooner", delay: "3 seconds" })
      const went: Array<[Option.Option<number>, number]> = []
      for (let jumps = 0; jumps < 3; jumps++) went.push([yield* queue.jump, yield* Clock.currentTimeMillis])
      assert.deepStrictEqual(went, [
        [Option.some(3000), 3000],
        [Option.some(5000), 5000],
        [Option.none(), 5000]
      ])
      assert.deepStrictEqual(
        (yield* queue.submitted).map(({ content, status }) => [content, status]),
        [
          ["later", "COMPLETED"],
          ["sooner", "COMPLETED"]
        ]
      )
    }).pipe(Effect.provide(layerTest({ run: () => Effect.succeed("") })))
  )

  it.effect("finds what was submitted, and says what was instead", () =>
    Effect.gen(function* () {
      const venom = yield* Orchestrator
      const { assertSubmitted } = yield* TestQueue
      const { id } = yield* venom.submit({ content: "letter", type: "mail", tags: ["a", "b"] })
      yield* venom.submit({ content: "parcel", type: "mail" })
      assert.strictEqual((yield* assertSubmitted({ type: "mail", tags: ["a", "b"] })).id, id)
      assert.strictEqual((yield* assertSubmitted({ type: "mail" })).content, "parcel")
      const error = yield* Effect.flip(assertSubmitted({ type: "mail", content: "card" }))
      assert(error._tag === "NotSubmitted")
      assert.strictEqual(
        error.message,
        `No task was submitted that is like {"type":"mail","content":"card"}. There are 2:
  {"content":"letter","type":"mail"}
  {"content":"parcel","type":"mail"}`
      )
    }).pipe(Effect.provide(layerTest({ run: () => Effect.never })))
  )

  it.effect("drains through retries and through work that takes time", () =>
    Effect.gen(function* () {
      const venom = yield* Orchestrator
      const queue = yield* TestQueue
      yield* venom.submitAll([{ content: "a" }, { content: "b", maxAttempts: 2 }])
      assert.deepStrictEqual(
        (yield* queue.drain).map(({ attempt, status }) => [attempt, status]),
        [
          [3, "COMPLETED"],
          [2, "FAILED"]
        ]
      )
    }).pipe(
      Effect.provide(
        layerTest({
          run: ({ attempt }) =>
            Effect.andThen(
              Effect.sleep("90 seconds"),
              attempt < 3 ? Effect.fail(retryable("again")) : Effect.succeed("")
            )
        })
      )
    )
  )

  it.effect("a dead process changes nothing any more; schedules and what was asked before live on", () =>
    Effect.gen(function* () {
      const venom = yield* Orchestrator
      const schedules = yield* Schedules
      const queue = yield* TestQueue
      yield* schedules.put("daily", { every: "1 day", task: { content: "tick" } })
      const { id } = yield* venom.submit({ content: "work" })
      yield* queue.settle
      yield* queue.crash
      assert.deepInclude(yield* venom.get(id), { status: "PROCESSING", attempt: 2 })
      yield* queue.crash
      yield* queue.crash
      assert.deepStrictEqual((yield* venom.get(id)).failure?.reason, "crashed")
      yield* queue.advance("3 days")
      assert.strictEqual((yield* queue.submitted).filter(({ content }) => content === "tick").length, 3)
    }).pipe(Effect.provide(layerTest({ run: () => Effect.never })))
  )
})
