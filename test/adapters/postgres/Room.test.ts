import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as Room from "../../../src/adapters/postgres/Room.ts"

describe("room for unfinished tasks", () => {
  it.effect("is not given twice where some come in while they are counted", () =>
    Effect.gen(function* () {
      const slow = yield* Deferred.make<void>()
      let held = 0
      let counts = 0
      const room = Room.make(
        10,
        Effect.suspend(() => {
          const seen = held
          // the second one looks before the first have come in, and hears of it when they have
          return Effect.as(++counts === 2 ? Deferred.await(slow) : Effect.void, seen)
        })
      )
      yield* room.take(4)
      const late = yield* Effect.forkChild(Effect.result(room.take(7)), { startImmediately: true })
      held += 4
      room.settled(4)
      yield* Deferred.succeed(slow, undefined)
      assert.strictEqual((yield* Fiber.join(late))._tag, "Failure")
      yield* room.take(6)
      assert.strictEqual((yield* Effect.flip(room.take(1)))._tag, "QueueFull")
    })
  )
})
