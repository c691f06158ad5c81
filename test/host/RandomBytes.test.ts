import { assert, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import * as RandomBytes from "../../src/host/RandomBytes.ts"

const size = Schema.Int.check(Schema.isBetween({ minimum: 8, maximum: 10_000 }))

layer(RandomBytes.layer)("Random bytes", (it) => {
  it.effect.prop("are as many as asked for, and never seen before", [Schema.Array(size)], ([sizes]) =>
    Effect.gen(function* () {
      const random = yield* SecureRandom.SecureRandom
      const windows = new Set<string>()
      let eights = 0
      for (const size of sizes) {
        const bytes = yield* random.randomBytes(size)
        assert.lengthOf(bytes, size)
        for (let at = 0; at + 8 <= size; at += 8, eights++) windows.add(bytes.subarray(at, at + 8).toString())
      }
      // each eight of them stand only once, and eight zeros nowhere
      assert.strictEqual(windows.size, eights)
      assert.isFalse(windows.has("0,0,0,0,0,0,0,0"))
    })
  )

  it.effect("make ids that grow and do not repeat", () =>
    Effect.gen(function* () {
      const random = yield* SecureRandom.SecureRandom
      const ids = yield* Effect.all(Array.from({ length: 10_000 }, () => random.uuidV7()))
      assert.deepStrictEqual(ids, [...new Set(ids)].sort())
    })
  )

  it.effect("belong to whom they were given to", () =>
    Effect.gen(function* () {
      const random = yield* SecureRandom.SecureRandom
      const given = yield* random.randomBytes(32)
      const copy = given.slice()
      for (let count = 0; count < 1000; count++) yield* random.randomBytes(32)
      assert.deepStrictEqual(given, copy)
    })
  )
})
