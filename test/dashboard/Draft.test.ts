import { assert, describe, it } from "vitest"
import { draftOf, requestOf } from "../../src/dashboard/Draft.ts"
import * as Keys from "../../src/dashboard/Keys.ts"
import type * as Wire from "../../src/dashboard/Wire.ts"
import { wireTask } from "./wireTask.ts"

const source: Wire.Task = wireTask({
  type: "mail",
  content: "hello",
  priority: 5,
  timeout: 1000,
  concurrency_key: "account",
  backoff: { kind: "fixed" },
  tags: ["a", "b"]
})
const draft = draftOf(source)

describe("a task that is run again with changes", () => {
  it("is a copy, of which only what changed is said", () => {
    assert.deepStrictEqual(requestOf(draft, source), { copy_of: source.id })
    assert.deepStrictEqual(requestOf({ ...draft, content: "bye", timeout: "5 seconds", tags: "" }, source), {
      copy_of: source.id,
      content: "bye",
      timeout: "5 seconds",
      tags: []
    })
  })

  it("is a task of its own where a field was emptied: a copy would keep what the field was", () => {
    const whole: Wire.TaskRequest = {
      type: "mail",
      content: "hello",
      max_attempts: 5,
      tags: ["a", "b"],
      backoff: { kind: "fixed" }
    }
    const kept: Wire.TaskRequest = { ...whole, priority: 5, concurrency_key: "account" }
    assert.deepEqual<object>(requestOf({ ...draft, timeout: "" }, source), kept)
    assert.deepEqual<object>(requestOf({ ...draft, priority: "", timeout: "", concurrency_key: "" }, source), whole)
  })
})

describe("the key of a form", () => {
  it("is one for what is sent again, and another for what was changed", () => {
    const keyOf = Keys.byBody()
    const first = keyOf({ content: "a" })
    const other = keyOf({ content: "b" })
    assert.notStrictEqual(other, first)
    assert.strictEqual(keyOf({ content: "a" }), first)
    assert.strictEqual(keyOf({ content: "b" }), other)
  })
})
