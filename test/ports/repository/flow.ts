import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { type Flow, free } from "../../../src/domain/Flow.ts"
import { type Tests, together } from "./harness.ts"

const names = Array.from({ length: 40 }, (_, n) => `type${n}`)

/** Pauses one more type. */
export const pausing =
  (type: string) =>
  (flow: Flow): Flow => ({ ...flow, types: { ...flow.types, [type]: { paused: true } } })

export const flow = (test: Tests): void => {
  describe("what holds back tasks", () => {
    test("is nothing to begin with, and then what it was changed to", (repository) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* repository.flow, free)
        const limited = yield* repository.updateFlow((flow) => ({ ...flow, eachKey: 3 }))
        assert.deepStrictEqual(limited, { ...free, eachKey: 3 })
        const both = yield* repository.updateFlow(pausing("mail"))
        assert.deepStrictEqual(both, { ...free, eachKey: 3, types: { mail: { paused: true } } })
        assert.deepStrictEqual(yield* repository.flow, both)
        yield* repository.updateFlow(() => free)
        assert.deepStrictEqual(yield* repository.flow, free)
      }))

    test("of many changes at once each is decided on those before it, and none is lost", (repository) =>
      Effect.gen(function* () {
        const known = yield* together(names.map((type) => repository.updateFlow(pausing(type))))
        const counts = known.map(({ types }) => Object.keys(types).length)
        assert.deepStrictEqual(
          counts.toSorted((a, b) => a - b),
          names.map((_, n) => n + 1)
        )
        assert.sameMembers(Object.keys((yield* repository.flow).types), names)
      }))
  })
}
