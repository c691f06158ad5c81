import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { LastHour } from "../../src/engine/LastHour.ts"

const minute = 60_000
const Times = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 200 * minute })))

describe("LastHour", () => {
  it.prop("counts each of the last 60 minutes by itself, however late something comes", [Times], ([times]) => {
    const hour = new LastHour()
    for (const at of times.toSorted((a, b) => a - b)) hour.minuteOf(at).submitted++
    const now = 200 * minute
    const recent = times.filter((at) => at >= now - 59 * minute)
    const told = hour.until(now)
    assert.strictEqual(
      told.reduce((sum, { submitted }) => sum + submitted, 0),
      recent.length
    )
    assert.deepStrictEqual(
      told.map(({ at }) => at),
      Array.from(new Set(recent.map((at) => Math.floor(at / minute) * minute))).toSorted((a, b) => a - b)
    )
  })

  it.prop("holds 60 minutes at most, and takes whatever time a clock says", [Times], ([times]) => {
    const hour = new LastHour()
    for (const at of times) hour.minuteOf(at).submitted++
    const told = hour.until(0)
    assert.isAtMost(told.length, 60)
    assert.deepStrictEqual(
      told.map(({ at }) => at),
      told.map(({ at }) => at).toSorted((a, b) => a - b)
    )
  })
})
