import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Logger } from "effect"
import { TestClock } from "effect/testing"
import * as SimulatedTaskRunner from "../../../src/adapters/runners/SimulatedTaskRunner.ts"
import { attempt, built, claimed, listen } from "./attempts.ts"

describe("SimulatedTaskRunner", () => {
  it.effect("works for two seconds and tells how much content it was given", () =>
    Effect.gen(function* () {
      const runner = yield* built(SimulatedTaskRunner.layer())
      const said = yield* listen
      const running = yield* Effect.forkChild(runner.run(claimed("häuser 😀"), said.handle))
      assert.strictEqual(yield* said.next, "simulating work for 2s")
      yield* TestClock.adjust("1999 millis")
      assert.isUndefined(running.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(running), "simulated: 8 characters of content")
      assert.deepStrictEqual(yield* said.all, ["simulated work done"])
    })
  )

  it.effect("works as long as it is told to", () =>
    Effect.gen(function* () {
      const running = yield* Effect.forkChild(attempt(SimulatedTaskRunner.layer({ duration: "1 hour" }), ""))
      yield* TestClock.adjust("1 hour")
      const { lines, result } = yield* Fiber.join(running)
      assert.deepStrictEqual(lines, ["simulating work for 1h", "simulated work done"])
      assert.isTrue(result._tag === "Success" && result.success === "simulated: 0 characters of content")
    })
  )

  it.effect("says at start that it only simulates, and how to run real tasks", () => {
    const logged: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => void logged.push(`${logLevel} ${String(message)}`))
    return Layer.build(Layer.provide(SimulatedTaskRunner.layer(), Logger.layer([logger]))).pipe(
      Effect.map(() => {
        assert.lengthOf(logged, 1)
        assert.match(logged[0] ?? "", /^Info .*only simulated.*VENOM_RUNNER=command.*VENOM_COMMAND='program args'/)
      })
    )
  })
})
