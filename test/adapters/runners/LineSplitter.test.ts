import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as LineSplitter from "../../../src/adapters/runners/LineSplitter.ts"

const split = (pieces: ReadonlyArray<string>, keep = 100) => {
  const splitter = LineSplitter.make(keep)
  return [...pieces.flatMap(splitter.push), ...splitter.end()]
}

describe("LineSplitter", () => {
  it("ends lines at LF and CR LF, wherever the pieces are cut", () => {
    assert.deepStrictEqual(split(["one\ntw", "o\r", "\n\nthree"]), ["one", "two", "", "three"])
  })

  it("takes no other letter for a line end", () => {
    assert.deepStrictEqual(split(["a\u2028b\rc\u0085d\n"]), ["a\u2028b\rc\u0085d"])
  })

  it("says nothing of what is not there", () => {
    assert.deepStrictEqual(split([]), [])
    assert.deepStrictEqual(split(["", "\n"]), [""])
  })

  it("keeps the beginning of a line that is too long and drops the rest as it comes", () => {
    assert.deepStrictEqual(split(["12345678", "9", "10\nnext line\n"], 4), ["1234", "next"])
    assert.deepStrictEqual(split(["12", "34", "56"], 4), ["1234"])
  })

  it.prop(
    "gives the same lines however the text is cut",
    [Schema.Array(Schema.Literals(["a", "b\n", "\r\n", "\r", "long"]))],
    ([pieces]) => {
      assert.deepStrictEqual(split(pieces, 6), split([pieces.join("")], 6))
    }
  )
})
