import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Heap } from "../../../src/adapters/memory/Heap.ts"

const AnyNumbers = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: -20, maximum: 20 })))
/** A number is pushed, a null pops. */
const AnyPushesAndPops = Schema.Array(Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: -20, maximum: 20 }))))

const empty = () => new Heap<number>((a, b) => a < b)

describe("Heap", () => {
  it.prop(
    "gives what was pushed, the least first",
    [AnyNumbers],
    ([numbers]) => {
      const heap = empty()
      for (const n of numbers) heap.push(n)
      const popped = Array.from({ length: heap.size }, () => heap.pop())
      assert.deepEqual(
        popped,
        numbers.toSorted((a, b) => a - b)
      )
      assert.strictEqual(heap.pop(), undefined)
    },
    { arbitrary: { runs: 300 } }
  )

  it.prop(
    "pushes and pops in any order agree with a sorted list",
    [AnyPushesAndPops],
    ([steps]) => {
      const heap = empty()
      const list: Array<number> = []
      for (const step of steps) {
        if (step === null) assert.strictEqual(heap.pop(), list.shift())
        else {
          heap.push(step)
          list.push(step)
          list.sort((a, b) => a - b)
        }
        assert.strictEqual(heap.size, list.length)
        assert.strictEqual(heap.peek(), list[0])
      }
    },
    { arbitrary: { runs: 300 } }
  )

  it("drained it is empty and gave everything", () => {
    const heap = empty()
    for (const n of [3, 1, 2]) heap.push(n)
    assert.sameMembers(heap.drain(), [1, 2, 3])
    assert.strictEqual(heap.size, 0)
    assert.strictEqual(heap.peek(), undefined)
  })
})
