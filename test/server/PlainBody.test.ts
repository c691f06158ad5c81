import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { TaskRequest } from "../../src/domain/Task.ts"
import * as PlainBody from "../../src/server/PlainBody.ts"

const decode = Schema.decodeUnknownResult(TaskRequest, { errors: "first", onExcessProperty: "error" })
const encode = Schema.encodeSync(TaskRequest)
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** What the schema makes of bytes, `undefined` where it refuses them. */
const bySchema = (bytes: Buffer): TaskRequest | undefined => {
  try {
    return Result.getOrUndefined(decode(JSON.parse(utf8.decode(bytes))))
  } catch {
    return undefined
  }
}

const same = (body: string | Buffer): TaskRequest | undefined => {
  const bytes = Buffer.from(body)
  const read = PlainBody.read(bytes)
  if (read !== undefined) assert.deepStrictEqual(read, bySchema(bytes), bytes.toString("latin1"))
  return read
}

const values = Schema.Literals([
  `"a"`,
  `""`,
  `"${"x".repeat(129)}"`,
  `"\\ud800"`,
  "0",
  "-0",
  "100",
  "101",
  "1000",
  "1001",
  "1.5",
  "1e2",
  "1e999",
  "null",
  "true",
  "[]",
  `["a","b"]`,
  `["a",1]`,
  `[""]`,
  JSON.stringify(Array.from({ length: 21 }, String)),
  "{}",
  `"2026-01-31T09:30:00.000Z"`,
  `"2026-02-30T09:30:00.000Z"`,
  `"2026-01-31T09:30:00Z"`,
  `"2026-01-31T09:30:00.000+02:00"`,
  `"-000001-01-01T00:00:00.000Z"`,
  `"+010000-01-01T00:00:00.000Z"`,
  `"2 seconds"`,
  `"2 sec"`,
  `"-1 second"`,
  "-1",
  `{"kind":"linear"}`,
  `{"kind":"linear","base":"1 second","jitter":0.5}`,
  `{"kind":"none"}`,
  `{"base":0}`,
  `{"jitter":2}`,
  `{"colour":1}`
])
const names = Schema.Literals([
  "content",
  "type",
  "priority",
  "run_at",
  "runAt",
  "max_attempts",
  "maxAttempts",
  "tags",
  "delay",
  "timeout",
  "backoff",
  "deadline",
  "concurrency_key",
  "unique_key",
  "retention",
  "uniqueKey",
  "copy_of",
  "colour",
  "__proto__",
  "constructor",
  "toString",
  ""
])

describe("A plain body", () => {
  it.prop(
    "of any request that the schema would write is read, and as the schema reads it",
    [TaskRequest],
    ([request]) => {
      assert.isDefined(same(JSON.stringify(encode(request))))
    }
  )

  it.prop(
    "is never read where the schema would refuse it, or read it in another way",
    [Schema.Array(Schema.Tuple([names, values]))],
    ([fields]) => {
      const rest = fields.map(([name, value]) => `,"${name}":${value}`).join("")
      same(`{"content":"a"${rest}}`)
      same(`{${rest.slice(1)}}`)
    },
    { arbitrary: { runs: 2000 } }
  )

  it.prop("is never read out of other JSON", [Schema.Json], ([json]) => {
    same(JSON.stringify(json))
    same(JSON.stringify({ content: json }))
  })

  it.prop(
    "is never read out of bytes that are no UTF-8, or no JSON",
    [Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 })))],
    ([bytes]) => {
      same(Buffer.from(bytes))
      same(Buffer.concat([Buffer.from(`{"content":"`), Buffer.from(bytes), Buffer.from(`"}`)]))
    },
    { arbitrary: { runs: 2000 } }
  )

  it("keeps content exactly", () => {
    for (const content of ["", 'aé€😀\u2028\u0000"\\/', "\ud800", "a\udc00b", "\ufeffx", "x".repeat(349_525)]) {
      assert.deepStrictEqual(same(JSON.stringify({ content })), { content })
    }
  })

  it("is not what it seems to be", () => {
    for (const body of [
      "",
      "\ufeff{}",
      "null",
      "[]",
      `"content"`,
      "{}",
      `{"content":"\ufffd"}`,
      `{"content":"a"} {}`
    ]) {
      assert.isUndefined(same(body), body)
    }
    assert.isUndefined(same(JSON.stringify({ content: "x".repeat(1024 * 1024 + 1) })))
  })
})
