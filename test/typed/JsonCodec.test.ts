import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal, Schema } from "effect"
import * as JsonCodec from "../../src/typed/JsonCodec.ts"

class Note extends Schema.Class<Note>("Note")({ text: Schema.String, at: Schema.Date }) {}
class Refused extends Schema.TaggedError<Refused>()("Refused", { code: Schema.BigInt }) {}

const Value = Schema.Struct({
  text: Schema.String,
  maybe: Schema.optionalKey(Schema.Int),
  at: Schema.Date,
  option: Schema.Option(Schema.Boolean),
  big: Schema.BigInt,
  note: Note,
  list: Schema.Array(Schema.Union([Schema.Null, Schema.Finite, Schema.Literals(["a", "b"])])),
  bytes: Schema.Uint8Array,
  record: Schema.Record(Schema.String, Schema.Boolean)
})

describe("values as JSON", () => {
  it.effect.prop(
    "come back as they were, also through text",
    [Value],
    Effect.fnUntraced(function* ([value]) {
      const codec = JsonCodec.make("value", Value)
      const text = yield* codec.toText(value)
      assert.isTrue(Equal.equals(yield* codec.fromText(text), value), text)
      assert.isTrue(Equal.equals(yield* codec.fromTextStrictly(text), value), text)
      assert.isTrue(Equal.equals(yield* codec.fromJson(yield* codec.toJson(value)), value), text)
      assert.strictEqual(JSON.stringify(yield* codec.toJson(value)), text)
    }),
    { arbitrary: { runs: 500 } }
  )

  it.effect("may be errors and nothing at all", () =>
    Effect.gen(function* () {
      const refused = JsonCodec.make("value", Refused)
      const error = new Refused({ code: 12n })
      assert.deepStrictEqual(yield* refused.toJson(error), { _tag: "Refused", code: "12" })
      assert.deepStrictEqual(yield* refused.fromJson({ _tag: "Refused", code: "12" }), error)
      const nothing = JsonCodec.make("value", Schema.Void)
      assert.strictEqual(yield* nothing.toText(undefined), "null")
      assert.strictEqual(yield* nothing.fromText("null"), undefined)
    })
  )

  it.effect("that a schema does not know are passed over, or told where it is strict", () =>
    Effect.gen(function* () {
      const codec = JsonCodec.make("value", Schema.Struct({ to: Schema.Struct({ name: Schema.String }) }))
      const text = '{"to":{"name":"you","nick":"u"}}'
      assert.deepStrictEqual(yield* codec.fromText(text), { to: { name: "you" } })
      const issues = yield* Effect.flip(codec.fromTextStrictly(text))
      assert.deepStrictEqual(issues, [{ path: "to.nick", message: "Unknown field" }])
    })
  )

  it.effect("with many issues have a hundred told, and one where there may be too many", () =>
    Effect.gen(function* () {
      const codec = JsonCodec.make("value", Schema.Array(Schema.String))
      const wrong = (count: number) => JSON.stringify(Array.from({ length: count }, (_, n) => n))
      assert.lengthOf(yield* Effect.flip(codec.fromTextStrictly(wrong(10_000))), 100)
      assert.lengthOf(yield* Effect.flip(codec.fromTextStrictly(wrong(100_000))), 1)
    })
  )

  it.effect("that are nested too deeply are none", () =>
    Effect.gen(function* () {
      interface Nest extends ReadonlyArray<Nest> {}
      const Nest: Schema.Codec<Nest> = Schema.Array(Schema.suspend((): Schema.Codec<Nest> => Nest))
      const codec = JsonCodec.make("nest", Nest)
      const deep = `${"[".repeat(300_000)}${"]".repeat(300_000)}`
      const issues = [{ path: "", message: "Nested too deeply" }]
      assert.deepStrictEqual(yield* Effect.flip(codec.fromText(deep)), issues)
      assert.deepStrictEqual(yield* Effect.flip(codec.fromTextStrictly(deep)), issues)
      assert.strictEqual(yield* Effect.flatMap(codec.fromText("[[],[[]]]"), codec.toText), "[[],[[]]]")
    })
  )
})
