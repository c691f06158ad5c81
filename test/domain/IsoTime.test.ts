import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as IsoTime from "../../src/domain/IsoTime.ts"

const instant = Schema.Int.check(Schema.isBetween({ minimum: IsoTime.earliest, maximum: IsoTime.latest }))

describe("IsoTime", () => {
  it.prop(
    "spells every instant of four-digit years as Date does, and reads it back",
    [instant],
    ([at]) => {
      const text = IsoTime.format(at)
      assert.strictEqual(text, new Date(at).toISOString())
      assert.strictEqual(IsoTime.parse(text), at)
    },
    { arbitrary: { runs: 2000 } }
  )

  it("holds at the corners of the calendar", () => {
    const days = [
      "0000-01-01",
      "0000-02-29",
      "0000-12-31",
      "1600-02-29",
      "1899-12-31",
      "1900-02-28",
      "1900-03-01",
      "1969-12-31",
      "1970-01-01",
      "1999-12-31",
      "2000-02-29",
      "2000-03-01",
      "2024-02-29",
      "2100-02-28",
      "9999-12-31"
    ]
    for (const day of days) {
      for (const time of ["00:00:00.000", "00:00:00.009", "09:30:59.099", "23:59:59.999"]) {
        const text = `${day}T${time}Z`
        assert.strictEqual(IsoTime.parse(text), Date.parse(text), text)
        assert.strictEqual(IsoTime.format(Date.parse(text)), text)
      }
    }
  })

  it("reads a time in another zone rightly after one of the same second", () => {
    for (const text of ["2026-01-31T09:30:00.000Z", "2026-01-31T09:30:00.123+02:00", "2026-01-31T09:30:00.456Z"]) {
      assert.strictEqual(IsoTime.parse(text), Date.parse(text), text)
    }
  })

  it("reads what is spelled in another way as Date does", () => {
    const others = [
      "2026-01-31T09:30:00Z",
      "2026-01-31T09:30:00.000+02:00",
      "+012026-01-31T09:30:00.000Z",
      "2026-02-29T00:00:00.000Z",
      "2026-01-31T24:00:00.000Z",
      "2026-13-01T00:00:00.000Z",
      "2026-00-01T00:00:00.000Z",
      "2026-01-00T00:00:00.000Z",
      "2026-01-31T09:30:00.00xZ",
      "2026-01-31 09:30:00.000Z",
      "20x6-01-31T09:30:00.000Z",
      "2026-01-31T09:60:00.000Z",
      "",
      "soon"
    ]
    for (const text of others) assert.deepStrictEqual(IsoTime.parse(text), Date.parse(text), text)
  })

  it("leaves other years to Date", () => {
    for (const at of [IsoTime.latest + 1, IsoTime.earliest - 1, 8.64e15, -8.64e15]) {
      assert.strictEqual(IsoTime.parse(IsoTime.format(at)), at)
    }
    assert.throws(() => IsoTime.format(Infinity), RangeError)
    assert.strictEqual(IsoTime.format(1234.9), "1970-01-01T00:00:01.234Z")
    assert.strictEqual(IsoTime.format(-0.5), new Date(-1).toISOString())
  })
})
