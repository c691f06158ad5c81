import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, it, vi } from "vitest"
import { mutations } from "./mutants/mutations.ts"
import { run } from "./RandomHistory.ts"

const root = join(import.meta.dirname, "../..")

describe("a random history", { timeout: 60_000 }, () => {
  afterEach(() => void vi.restoreAllMocks())

  // longer runs: npm run simulate -- --seeds 10000
  it("breaks no promise, whatever the seed", () => {
    for (let seed = 1; seed <= 100; seed++) expect({ seed, violation: run(seed).violation }).toEqual({ seed })
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
    it(`can still be planted: ${name}`, () => {
      for (const { file, find } of edits) {
        expect(
          readFileSync(join(root, file), "utf8").split(find),
          `${file} has changed: change the mutation with it`
        ).toHaveLength(2)
      }
    })
  }
})
