import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, it, vi } from "vitest"
import { missing } from "./coverage.ts"
import { mutations, planted } from "./mutants/mutations.ts"
import { run } from "./RandomHistory.ts"
import { Tally } from "./Tally.ts"

const root = join(import.meta.dirname, "../..")

describe("a random history", { timeout: 60_000 }, () => {
  afterEach(() => void vi.restoreAllMocks())

  // longer runs: npm run simulate -- --seeds 10000
  it("breaks no promise, whatever the seed; and there is everything in them", () => {
    const all = new Tally()
    for (let seed = 1; seed <= 100; seed++) {
      const { tally, violation } = run(seed)
      expect({ seed, violation }).toEqual({ seed })
      all.add(tally)
    }
    expect(missing(all)).toEqual([])
  })

  it("is the same for the same seed, event by event", () => {
    for (const seed of [3, 11]) expect(run(seed).trace).toEqual(run(seed).trace)
  })

  it("is another for another seed", () => {
    expect(run(3).trace).not.toEqual(run(4).trace)
  })

  it("asks for nothing real: no clock, no timer, no chance", () => {
    const forbid = (name: string) => () => {
      throw new Error(`asked for the real ${name}`)
    }
    for (const name of ["setTimeout", "setImmediate", "setInterval", "queueMicrotask"] as const) {
      vi.spyOn(globalThis, name).mockImplementation(forbid(name))
    }
    vi.spyOn(Math, "random").mockImplementation(forbid("chance"))
    vi.spyOn(Date, "now").mockImplementation(forbid("date"))
    vi.spyOn(performance, "now").mockImplementation(forbid("clock"))
    vi.spyOn(process, "hrtime").mockImplementation(forbid("clock"))
    vi.spyOn(crypto, "getRandomValues").mockImplementation(forbid("chance"))
    const { violation } = run(11)
    vi.restoreAllMocks()
    expect(violation).toBe(undefined)
  })
})

describe("a planted bug", () => {
  for (const { edits, name } of mutations) {
    // how soon each is found: npm run simulate -- --mutants
    it(`can still be planted: ${name}`, () => {
      for (const edit of edits) {
        const source = readFileSync(join(root, edit.file), "utf8")
        expect(planted(edit, source)).not.toBe(source)
      }
    })
  }

  it("is refused where its place is not there, or not the only one", () => {
    const edit = { file: "a.ts", find: "a", put: "b" }
    expect(planted(edit, "bab")).toBe("bbb")
    for (const source of ["bbb", "baa"]) expect(() => planted(edit, source)).toThrow("a.ts has changed")
  })
})
