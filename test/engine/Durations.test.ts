import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Durations } from "../../src/engine/Durations.ts"

const Some = Schema.Array(Schema.Finite.check(Schema.isBetween({ minimum: 0.001, maximum: 100_000 }))).check(
  Schema.isMinLength(1)
)

describe("Durations", () => {
  it("know nothing of none", () => {
    assert.isUndefined(new Durations().percentile(50))
  })

  it.prop(
    "tell a percentile to a tenth",
    [Some, Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))],
    ([all, percent]) => {
      const durations = new Durations()
      for (const one of all) durations.add(one)
      const exact = all.toSorted((a, b) => a - b)[Math.ceil((all.length * percent) / 100) - 1] ?? Number.NaN
      assert.approximately(durations.percentile(percent) ?? Number.NaN, exact, exact / 10)
    }
  )

  it("take what is shorter than any and longer than any", () => {
    const durations = new Durations()
    durations.add(0)
    assert.strictEqual(durations.percentile(100), 0)
    durations.add(1e9)
    assert.isAbove(durations.percentile(100) ?? 0, 86_400)
  })
})
