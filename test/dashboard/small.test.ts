import { it } from "@effect/vitest"
import { Schema } from "effect"
import { assert, describe } from "vitest"
import * as Format from "../../src/dashboard/Format.ts"
import * as Place from "../../src/dashboard/Place.ts"
import * as Scale from "../../src/dashboard/Scale.ts"
import { reader } from "../../src/dashboard/ServerSentEvents.ts"

describe("what the page writes", () => {
  it("spans of time, in their two largest units", () => {
    const rows: ReadonlyArray<readonly [number, string]> = [
      [0, "0 ms"],
      [999.6, "1000 ms"],
      [1000, "1.0 s"],
      [9940, "9.9 s"],
      [59_600, "1 min"],
      [200_000, "3 min 20 s"],
      [7_260_000, "2 h 1 min"],
      [86_400_000 * 7, "7 d"],
      [-5, "0 ms"]
    ]
    for (const [millis, text] of rows) assert.strictEqual(Format.span(millis), text)
  })

  it("how far away a time is", () => {
    assert.strictEqual(Format.distance(0, 500), "now")
    assert.strictEqual(Format.distance(0, 61_000), "1 min ago")
    assert.strictEqual(Format.distance(3_600_000, 0), "in 1 h")
    assert.strictEqual(Format.distance(1, 0), "in 1 s")
  })

  it("rates and sizes in a few digits", () => {
    assert.deepStrictEqual([0, 0.05, 9.999, 12.34, 1234.5].map(Format.rate), ["0", "0.05", "10.00", "12.3", "1,235"])
    assert.deepStrictEqual([0, 1023, 1024, 1024 ** 2 * 300].map(Format.bytes), ["0 B", "1023 B", "1.0 KiB", "300 MiB"])
  })
})

describe("a text from outside", () => {
  it("shows what would have it read in another order", () => {
    assert.strictEqual(Format.plain("invoice\u202Efdp.exe"), "invoice⟨U+202E⟩fdp.exe")
    assert.strictEqual(Format.excerpt("a\u2066b\u2069\nc"), "a⟨U+2066⟩b⟨U+2069⟩ c")
    assert.strictEqual(Format.plain("שלום, عالم, 😀"), "שלום, عالم, 😀")
  })
})

describe("the scale of a chart", () => {
  it.prop("goes from nothing to no less than the highest, in a few round steps", [Schema.Finite], ([highest]) => {
    const ticks = Scale.ticks(Math.abs(highest) % 1e9, "any")
    assert.strictEqual(ticks[0], 0)
    assert.isAtLeast(ticks.at(-1) ?? 0, (Math.abs(highest) % 1e9) * (1 - 1e-8))
    assert.isAtMost(ticks.length, 6)
  })

  it("has no halves of what is counted", () => {
    assert.deepStrictEqual(Scale.ticks(2, "count"), [0, 1, 2])
    assert.deepStrictEqual(Scale.ticks(0, "count"), [0, 1])
  })

  it("goes by what a clock has, where it is about time", () => {
    assert.deepStrictEqual(Scale.ticks(0.017, "time"), [0, 0.005, 0.01, 0.015, 0.02])
    assert.deepStrictEqual(Scale.ticks(410, "time"), [0, 120, 240, 360, 480])
    assert.deepStrictEqual(Scale.ticks(9000, "time"), [0, 3600, 7200, 10_800])
  })
})

describe("the place in a list", () => {
  it("above a task is the next id", () => {
    assert.strictEqual(Place.above("019b7a5e-0000-7000-8000-0000000000ff"), "019b7a5e-0000-7000-8000-000000000100")
    assert.strictEqual(Place.above("019b7a5e-ffff-ffff-ffff-ffffffffffff"), "019b7a5f-0000-0000-0000-000000000000")
  })
})

describe("a stream of events", () => {
  const text = 'id: 1\n\n:\n\nid: 2\nevent: status\ndata: {"a":1}\n\nid: 3\nevent: log\ndata: a\ndata: b\n\n'

  it.prop("is read the same, however it is cut", [Schema.Int], ([seed]) => {
    const incoming = reader("")
    const events = []
    for (let from = 0, step = Math.abs(seed % 7) + 1; from < text.length; from += step) {
      events.push(...incoming.take(text.slice(from, from + step)))
    }
    assert.deepStrictEqual(events, [
      { event: "status", data: '{"a":1}' },
      { event: "log", data: "a\nb" }
    ])
    assert.strictEqual(incoming.lastEventId, "3")
  })
})
