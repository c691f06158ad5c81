import { assert, describe, it } from "vitest"
import * as Traceparent from "../../src/domain/Traceparent.ts"

const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
const span = "00f067aa0ba902b7"

describe("a traceparent", () => {
  it.each([
    [`00-${trace}-${span}-01`, `00-${trace}-${span}-01`],
    [`00-${trace}-${span}-00`, `00-${trace}-${span}-00`],
    [`00-${trace}-${span}-03`, `00-${trace}-${span}-03`],
    // a version to come is read as this one
    [`01-${trace}-${span}-01`, `00-${trace}-${span}-01`],
    [`cc-${trace}-${span}-ff-what-comes.then`, `00-${trace}-${span}-01`],
    [`fe-${trace}-${span}-08-`, `00-${trace}-${span}-00`]
  ])("%s is read", (text, read) => {
    assert.strictEqual(Traceparent.read(text), read)
  })

  it.each([
    undefined,
    "",
    "00",
    `ff-${trace}-${span}-01`,
    `0-${trace}-${span}-01`,
    `0x-${trace}-${span}-01`,
    `00-${trace}-${span}`,
    `00-${trace}-${span}-1`,
    `00-${trace}-${span}-01-`,
    `00-${trace}-${span}-01-more`,
    `00-${trace}-${span}-01 `,
    ` 00-${trace}-${span}-01`,
    `00-${trace}-${span}-01\n`,
    `00-${trace}-${span}-0g`,
    `00-${trace.toUpperCase()}-${span}-01`,
    `00-${trace}-${span.toUpperCase()}-01`,
    `00-${"0".repeat(32)}-${span}-01`,
    `00-${trace}-${"0".repeat(16)}-01`,
    `00-${trace.slice(1)}-${span}-01`,
    `00-${trace}f-${span}-01`,
    `01-${"0".repeat(32)}-${span}-01`,
    `01-${trace}-${span}-01.more`,
    `00-${trace}-${span}-01, 00-${trace}-${span}-01`
  ])("%s is none", (text) => {
    assert.strictEqual(Traceparent.read(text), undefined)
  })
})
