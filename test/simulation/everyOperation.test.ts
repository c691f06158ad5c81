import { describe, expect, it } from "vitest"
import { everything } from "../support/everything.ts"
import * as Faults from "./Faults.ts"
import * as Scenario from "./Scenario.ts"

/** What the history must have in it, whatever else changes. */
const wanted = [
  "cancel: done",
  "retry: done",
  "insert: done",
  "submit: done",
  "log A torn end was cut off",
  "log Rescued",
  "step PROCESSING to COMPLETED",
  "step PROCESSING to PENDING (error)"
].concat(
  ["open", "close", "read", "write", "fsync", "rename", "link", "rm", "mkdir", "scandir"].map((call) => `call ${call}`)
)

/** The first seed whose history has it all. */
const findSeed = (): number => {
  for (let seed = 2; seed < 500; seed += 2) {
    const { tally } = Scenario.run({ seed, at: 0, blow: () => {}, trouble: undefined })
    if (wanted.every((what) => tally.of(what) > 0)) return seed
  }
  throw new Error(`no history has all of ${wanted.join(", ")}`)
}
const seed = findSeed()

/** One run for each `step`th system call that the scenario makes, or for all, until a run in which it makes no more. */
const brokenAtEvery = (step: number, blow: Scenario.Blow, trouble?: Scenario.Blow): ReadonlyArray<string> => {
  const broken: Array<string> = []
  for (let at = 1; ; at += everything ? 1 : step) {
    const { struck, violation } = Scenario.run({ seed, at, blow, trouble })
    if (violation !== undefined) broken.push(`operation ${at}: ${violation}`)
    if (!struck) return broken
  }
}

/** For a few seconds from that call on. */
const lasting =
  (name: string, trouble: Faults.Trouble): Scenario.Blow =>
  ({ history, weather }) =>
    weather.befall(name, () => void (history.disk.troubles = [trouble]), 3000)

const filling: Scenario.Blow = ({ history: { disk }, weather }) =>
  weather.befall("full", () => void (disk.capacity = disk.used + 200), 3000)

const removing: Scenario.Blow = ({ weather }, life) =>
  weather.befall("directory removed", () => weather.removeDirectory(life), 1)

const failingSyncs = lasting("failing syncs", Faults.failingSyncs(1))

describe("at every system call of a short history", { timeout: 600_000 }, () => {
  const faults: Readonly<Record<string, Faults.Fault>> = {
    EIO: { code: "EIO" },
    ENOSPC: { code: "ENOSPC" },
    EDQUOT: { code: "EDQUOT" },
    EROFS: { code: "EROFS" },
    EMFILE: { code: "EMFILE" },
    "a write that takes a part": { share: 0.5 },
    "an answer that comes after seconds": { delay: 5000 }
  }
  for (const [name, fault] of Object.entries(faults)) {
    it(`${name} breaks no promise`, () => {
      expect(brokenAtEvery(name === "EIO" ? 17 : 89, ({ weather }) => weather.strike(fault))).toEqual([])
    })
  }

  const troubles: Readonly<Record<string, Scenario.Blow>> = {
    "writes that fail": lasting("failing writes", Faults.failingWrites(1)),
    "syncs that fail": failingSyncs,
    "a disk that is read-only": lasting("read only", Faults.readOnly),
    "a full disk": filling,
    "a directory that is removed": removing
  }
  for (const [name, trouble] of Object.entries(troubles)) {
    it(`from there on ${name} breaks no promise`, () => {
      expect(brokenAtEvery(89, trouble)).toEqual([])
    })
  }

  it("each trouble is one", () => {
    for (const [name, trouble] of Object.entries(troubles)) {
      const { tally } = Scenario.run({ seed, at: 0, blow: () => {}, trouble })
      expect([name, tally.of("log Storage is not writable")]).not.toEqual([name, 0])
    }
  })

  for (const ending of ["power", "kill"] as const) {
    const end: Scenario.Blow = (simulation, life) => simulation.end(life, ending)
    it(`an end by ${ending} breaks no promise`, () => {
      expect(brokenAtEvery(17, end)).toEqual([])
    })
    for (const [name, trouble] of Object.entries(troubles)) {
      it(`an end by ${ending} after ${name} breaks no promise`, () => {
        expect(brokenAtEvery(89, end, trouble)).toEqual([])
      })
    }
  }
})
