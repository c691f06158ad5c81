import { Option } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { EntryTable } from "../../../src/adapters/memory/EntryTable.ts"
import type { Entry } from "../../../src/ports/Entry.ts"

const entry = (name: string, expiresAt: number | null): Entry => ({ name, value: name, revision: 1, expiresAt })

describe("entries in memory", () => {
  it("that expire are found again when they are put back, and others never", () => {
    const [lasting, short] = [entry("lasting", null), entry("short", 10)]
    const table = new EntryTable([lasting, short])
    assert.deepStrictEqual(table.takeExpired(20, 9), [short])
    for (const one of [lasting, short]) table.putBack(one)
    assert.deepStrictEqual(table.nextExpiry(), Option.some(10))
    assert.deepStrictEqual(table.takeExpired(20, 9), [short])
    assert.deepStrictEqual(table.nextExpiry(), Option.none())
  })
})
