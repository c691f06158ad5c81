import { assert, describe, it } from "@effect/vitest"
import { Duration, Schema } from "effect"
import * as Backoff from "../../src/domain/Backoff.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const AnyBackoff = Schema.Struct({
  kind: Schema.Literals(["exponential", "linear", "fixed"]),
  base: between(0, 60_000),
  cap: between(0, 600_000),
  jitter: between(0, 100)
})
const toBackoff = ({ base, cap, jitter, kind }: typeof AnyBackoff.Type): Backoff.Backoff => ({
  kind,
  base: Duration.millis(base),
  cap: Duration.millis(cap),
  jitter: jitter / 100
})

const chance = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 0.999_999 }))

describe("Backoff", () => {
  it.prop(
    "the delay is whole milliseconds, at least 0 and never beyond the cap, at any attempt",
    [AnyBackoff, between(1, 10_000), chance],
    ([any, attempt, luck]) => {
      const delay = Backoff.delay(toBackoff(any), attempt, luck)
      assert.isTrue(Number.isSafeInteger(delay), String(delay))
      assert.isAtLeast(delay, 0)
      assert.isAtMost(delay, any.cap)
    },
    { arbitrary: { runs: 500 } }
  )

  it.prop("at the cap chance takes up to its share, and does not heap delays up there", [AnyBackoff], ([any]) => {
    const backoff = toBackoff({ ...any, base: Math.max(1, any.cap), kind: "fixed" })
    const cap = Duration.toMillis(backoff.cap)
    assert.strictEqual(Backoff.delay(backoff, 1, 0), Math.round(cap * (1 - backoff.jitter)))
    assert.strictEqual(Backoff.delay(backoff, 1, 0.5), cap)
    assert.approximately(Backoff.delay(backoff, 1, 0.75), cap * (1 - backoff.jitter / 2), 1)
  })

  it.prop(
    "without jitter it never shrinks from one attempt to the next",
    [AnyBackoff, between(1, 2000)],
    ([any, attempt]) => {
      const backoff = toBackoff({ ...any, jitter: 0 })
      assert.isAtLeast(Backoff.delay(backoff, attempt + 1, 0.5), Backoff.delay(backoff, attempt, 0.5))
    }
  )

  it("the standard one waits 1 s, 2 s, 4 s … 10 min, each 20 % more or less, and never longer than 10 min", () => {
    const delays = (luck: number) =>
      [1, 2, 3, 10, 11, 50].map((attempt) => Backoff.delay(Backoff.standard, attempt, luck))
    assert.deepStrictEqual(delays(0.5), [1000, 2000, 4000, 512_000, 600_000, 600_000])
    assert.deepStrictEqual(delays(0), [800, 1600, 3200, 409_600, 480_000, 480_000])
    assert.deepStrictEqual(delays(0.75), [1100, 2200, 4400, 563_200, 540_000, 540_000])
  })

  it("a base of nothing waits nothing, however many attempts there were", () => {
    assert.strictEqual(Backoff.delay({ ...Backoff.standard, base: Duration.zero }, 2000, 0.5), 0)
  })

  it("linear grows by its base, fixed does not grow", () => {
    const delay = (kind: "linear" | "fixed") => Backoff.delay({ ...Backoff.standard, kind, jitter: 0 }, 7, 0)
    assert.strictEqual(delay("linear"), 7000)
    assert.strictEqual(delay("fixed"), 1000)
  })
})
