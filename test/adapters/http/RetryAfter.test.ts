import { assert, describe, it } from "@effect/vitest"
import { Duration, Option } from "effect"
import * as RetryAfter from "../../../src/adapters/http/RetryAfter.ts"

const now = Date.parse("1994-11-06T08:49:00Z")
const seconds = (header: string | undefined) =>
  Option.getOrNull(Option.map(RetryAfter.read(header, now), Duration.toSeconds))

describe("Retry-After", () => {
  it.each([
    ["120", 120],
    ["0", 0],
    [" 7 ", 7],
    ["Sun, 06 Nov 1994 08:49:37 GMT", 37],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 37],
    ["Sun Nov  6 08:49:37 1994", 37],
    ["Sun, 06 Nov 1994 08:48:00 GMT", 0],
    ["99999999", 86_400],
    ["Sun, 06 Nov 2094 08:49:37 GMT", 86_400]
  ] as const)("%s is %i seconds", (header, expected) => assert.strictEqual(seconds(header), expected))

  it.each([undefined, "", "soon", "-1", "1.5", "1e3", "Sun, 99 Nov 1994 08:49:37 GMT"])("%s is no wish", (header) =>
    assert.isNull(seconds(header))
  )
})
