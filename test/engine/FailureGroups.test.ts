import { assert, describe, it } from "@effect/vitest"
import { FailureGroups } from "../../src/engine/FailureGroups.ts"
import { idOf } from "../support/tasks.ts"

const minute = 60_000
const failed = (n: number, message: string, type = "mail") => ({ id: idOf(n), type, reason: "error" as const, message })

describe("FailureGroups", () => {
  it("group by type, reason and message, but for ids and numbers in it", () => {
    const groups = new FailureGroups()
    groups.add(failed(1, "order 17: 0198c0de-0000-7000-8000-00000000ffff is gone after 3.5 s"), 0)
    groups.add(failed(2, "order 9: 0198c0de-0000-7000-8000-000000000001 is gone after 11 s"), 1)
    groups.add(failed(3, "no route to host"), 2)
    groups.add(failed(4, "no route to host", "sms"), 3)
    groups.add({ ...failed(5, "no route to host"), reason: "timeout" }, 4)
    const told = groups.until(5)
    assert.deepStrictEqual(
      told.map(({ count, type, reason }) => [count, type, reason]),
      [
        [2, "mail", "error"],
        [1, "mail", "timeout"],
        [1, "sms", "error"],
        [1, "mail", "error"]
      ]
    )
    assert.deepInclude(told[0], { firstAt: 0, lastAt: 1, tasks: [idOf(2), idOf(1)] })
    assert.include(told[0]?.message, "order 9")
  })

  it("forget what is older than an hour, and a group with it", () => {
    const groups = new FailureGroups()
    groups.add(failed(1, "x"), 0)
    groups.add(failed(1, "x"), 2 * minute)
    assert.strictEqual(groups.until(60 * minute)[0]?.count, 2)
    assert.deepInclude(groups.until(61 * minute)[0], { count: 1, firstAt: 2 * minute })
    assert.deepStrictEqual(groups.until(63 * minute), [])
  })

  it("name the newest three tasks, each once", () => {
    const groups = new FailureGroups()
    for (const n of [1, 2, 3, 4, 3]) groups.add(failed(n, "x"), n)
    assert.deepStrictEqual(groups.until(9)[0]?.tasks, [idOf(3), idOf(4), idOf(2)])
  })

  it("hold 200: the one that was quiet for longest goes", () => {
    const groups = new FailureGroups()
    const name = (n: number) => `${"x".repeat(n % 20)}-${"y".repeat(n / 20)}`
    for (let n = 0; n < 200; n++) groups.add(failed(1, name(n)), n)
    groups.add(failed(1, name(0)), 200)
    groups.add(failed(1, "another"), 201)
    const told = groups.until(202)
    assert.lengthOf(told, 200)
    assert.isDefined(told.find(({ message }) => message === name(0)))
    assert.isUndefined(told.find(({ message }) => message === name(1)))
  })
})
