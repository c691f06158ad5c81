import { describe, expect, it } from "vitest"
import * as Scenario from "./Scenario.ts"

/** One run for each system call that the scenario makes, until a run in which it makes no more. */
const atEvery = (
  seed: number,
  blow: Scenario.Blow
): { readonly runs: number; readonly broken: ReadonlyArray<string> } => {
  const broken: Array<string> = []
  for (let n = 1; ; n++) {
    const { fell, violation } = Scenario.run(seed, n, blow)
    if (violation !== undefined) broken.push(`operation ${n}: ${violation}`)
    if (!fell) return { runs: n, broken }
  }
}

const seed = 4

describe("at every system call of a short history", { timeout: 60_000 }, () => {
  for (const code of ["EIO", "ENOSPC"]) {
    it(`a failure with ${code} breaks no promise`, () => {
      const { broken, runs } = atEvery(seed, ({ weather }) => weather.strike(code))
      expect(broken).toEqual([])
      expect(runs).toBeGreaterThan(100)
    })
  }

  for (const ending of ["power", "kill"] as const) {
    it(`an end by ${ending} breaks no promise`, () => {
      expect(atEvery(seed, (simulation, life) => simulation.end(life, ending)).broken).toEqual([])
    })
  }
})
