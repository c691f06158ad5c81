import { it } from "@effect/vitest"
import { Schema } from "effect"
import { assert, describe } from "vitest"
import * as Json from "../../src/dashboard/Json.ts"

const textOf = (json: string): string | undefined =>
  Json.layOut(json)
    ?.map(({ text }) => text)
    .join("")

describe("JSON to be read", () => {
  it.prop("is the same JSON", [Schema.Record(Schema.String, Schema.Json)], ([value]) => {
    const json = JSON.stringify(value)
    const laidOut = textOf(json)
    assert.isDefined(laidOut)
    assert.deepStrictEqual(JSON.parse(laidOut), JSON.parse(json))
    assert.strictEqual(laidOut, JSON.stringify(JSON.parse(json), null, 2))
  })

  it("keeps what JavaScript would not: long numbers, doubled names, escapes", () => {
    assert.strictEqual(
      textOf('{"a":1.0, "a" :12345678901234567890,"\\u0061":"\\/"}'),
      '{\n  "a": 1.0,\n  "a": 12345678901234567890,\n  "\\u0061": "\\/"\n}'
    )
  })

  it("is nothing else: texts, numbers and what is broken stay as they are", () => {
    for (const text of ["", "1", '"a"', "null", "{", '{"a":}', "[1,]", "{} {}", "hello"]) {
      assert.isUndefined(Json.layOut(text), text)
    }
  })

  it("is indented no further than it can be followed, however deep it goes", () => {
    const levels = 3000
    const json = "[".repeat(levels) + "]".repeat(levels)
    const laidOut = textOf(json)
    assert.isDefined(laidOut)
    assert.isBelow(laidOut.length, 100 * 2 * levels)
    assert.strictEqual(laidOut.replace(/\s/g, ""), json)
  })

  it("stays as it is where it would become too long", () => {
    assert.isUndefined(textOf("[".repeat(100_000) + "]".repeat(100_000)))
    assert.isUndefined(textOf(`${"[".repeat(45)}${"1,".repeat(50_000)}1${"]".repeat(45)}`))
  })
})
