import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Ref } from "effect"
import { TestClock } from "effect/testing"
import * as Lasting from "../../../src/adapters/postgres/Lasting.ts"

describe("what is done again and again", () => {
  it.effect("goes on however a round ends, and ends with its scope alone", () =>
    Effect.gen(function* () {
      const rounds = yield* Ref.make(0)
      const ends = [Effect.fail("no"), Effect.die("a defect"), Effect.interrupt, Effect.sleep("1 second")]
      const round = Effect.flatMap(
        Ref.getAndUpdate(rounds, (n) => n + 1),
        (n): Effect.Effect<void, string> => ends[n % ends.length] ?? Effect.void
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Lasting.run("A round", "1 second", round)
          yield* TestClock.adjust("8 seconds")
          assert.strictEqual(yield* Ref.get(rounds), 9)
        })
      )
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual(yield* Ref.get(rounds), 9)
    }).pipe(Effect.provide(Logger.layer([])))
  )
})
