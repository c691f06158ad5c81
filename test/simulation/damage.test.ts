import { Exit } from "effect"
import { describe, expect, it } from "vitest"
import { fromWire, type TaskWire, toWire } from "../../src/domain/TaskJson.ts"
import { Chance } from "./Chance.ts"
import * as DataDirectory from "./DataDirectory.ts"

const files = DataDirectory.made(40)
const small = DataDirectory.made(2)

const segmentsOf = (files: DataDirectory.Files) =>
  Array.from(files.keys())
    .filter((name) => /^journal-.*\.jsonl$/.test(name))
    .sort()
const contentOf = (files: DataDirectory.Files, name: string) => files.get(name) ?? new Uint8Array()
const newline = 0x0a

/** Takes minutes: `EVERY_BYTE=true npx vitest run --project unit test/simulation/damage`. */
const everyByte = process.env["EVERY_BYTE"] === "true"

/** Where each line begins, and the end of the last. */
const linesOf = (content: Uint8Array): ReadonlyArray<number> => {
  const starts = [0]
  for (const [at, byte] of content.entries()) if (byte === newline) starts.push(at + 1)
  return starts
}

/** Plays the journal on the dump as the documentation of the format says, without Venom's own reader. */
const replay = (
  files: DataDirectory.Files,
  isReadable: (segment: string, line: number) => boolean
): DataDirectory.State => {
  const text = (name: string) => new TextDecoder().decode(contentOf(files, name))
  const dump = JSON.parse(text("state_dump.json"))
  const tasks = new Map<string, TaskWire>(dump.tasks.map((task: TaskWire) => [task.id, task]))
  for (const segment of segmentsOf(files)) {
    for (const [number, line] of text(segment).split("\n").slice(0, -1).entries()) {
      if (number === 0 || !isReadable(segment, number)) continue
      const record = JSON.parse(line.slice(9))
      if (record.seq <= dump.sequence) continue
      for (const task of record.tasks ?? []) tasks.set(task.id, task)
      const before = tasks.get(record.id)
      if (before === undefined) continue
      const { logs, ...set } = record.set
      const after = fromWire({ ...before, ...set, logs: [...before.logs.slice(0, logs.keep), ...logs.add] })
      if (after._tag === "Success") tasks.set(record.id, toWire(after.success))
    }
  }
  return tasks
}

const withFile = (files: DataDirectory.Files, name: string, content: Uint8Array): DataDirectory.Files =>
  new Map([...files, [name, content]])

const found = (files: DataDirectory.Files) => {
  const exit = DataDirectory.read(files)
  return Exit.isSuccess(exit)
    ? { state: DataDirectory.stateOf(exit.value.tasks.values()), damage: exit.value.damage, refused: undefined }
    : { state: new Map(), damage: [], refused: String(exit.cause) }
}

const last = segmentsOf(files).at(-1) ?? ""
const journal = contentOf(files, last)

describe("a journal cut off anywhere in its last hundred records", { timeout: 600_000 }, () => {
  const lines = linesOf(journal)
  const from = lines.at(-102) ?? 0

  it("gives all whole records before the cut", () => {
    const expected = lines.map((_, whole) => replay(files, (segment, line) => segment !== last || line < whole))
    const lastLines = lines.at(-3) ?? 0
    const wrong: Array<string> = []
    for (let cut = from; cut <= journal.length; cut += everyByte || cut > lastLines ? 1 : 101) {
      const whole = lines.findLastIndex((start) => start <= cut)
      const torn = cut - (lines[whole] ?? 0)
      const { damage, state } = found(withFile(files, last, journal.subarray(0, cut)))
      if (!sameState(state, expected[whole])) wrong.push(`cut at byte ${cut}: ${difference(state, expected[whole])}`)
      const told = damage.map((one) => ({ torn: one.torn, bytes: one.bytes, position: one.position }))
      expect(told).toEqual(torn === 0 ? [] : [{ torn: true, bytes: torn, position: cut - torn }])
    }
    expect(wrong).toEqual([])
  })

  it("lets the service start, sets the torn bytes aside, and says how many", () => {
    for (let cut = from + 17; cut <= journal.length; cut += 1009) {
      const whole = lines.findLastIndex((start) => start <= cut)
      const torn = journal.subarray(lines[whole], cut)
      const first = DataDirectory.start(withFile(files, last, journal.subarray(0, cut)))
      expect(Exit.isSuccess(first.exit)).toBe(true)
      expect(first.log.join("\n")).toContain(`(${torn.length} bytes)`)
      expect(contentOf(first.files, `${last}.bad`)).toEqual(torn)
      const second = DataDirectory.start(first.files)
      expect(second.log.filter((line) => /torn|Damage/.test(line))).toEqual([])
      expect(Exit.isSuccess(second.exit) && Exit.isSuccess(first.exit) && second.exit.value).toEqual(
        Exit.isSuccess(first.exit) && first.exit.value
      )
    }
  })
})

const damaged = (content: Uint8Array, at: number, chance: Chance): Uint8Array => {
  const copy = content.slice()
  copy[at] = (copy[at] ?? 0) ^ (1 << chance.below(8))
  return copy
}

describe("one bit changed", { timeout: 600_000 }, () => {
  const whole = replay(small, () => true)

  for (const segment of segmentsOf(small)) {
    it(`anywhere in ${segment} costs the record it stands in, and no other`, () => {
      const chance = new Chance(segment)
      const content = contentOf(small, segment)
      const lines = linesOf(content)
      const states = new Map<string, DataDirectory.State>()
      const wrong: Array<string> = []
      for (let at = 0; at < content.length; at += everyByte ? 1 : 3) {
        const line = lines.findLastIndex((start) => start <= at)
        // without its end a line runs into the next one
        const hit = content[at] === newline ? [line, line + 1] : [line]
        const without =
          states.get(hit.join()) ?? replay(small, (name, number) => name !== segment || !hit.includes(number))
        states.set(hit.join(), without)
        const { refused, state } = found(withFile(small, segment, damaged(content, at, chance)))
        // the digits of a checksum may be written large
        if (refused !== undefined || (!sameState(state, without) && !sameState(state, whole))) {
          wrong.push(`byte ${at}: ${refused ?? difference(state, without)}`)
        }
      }
      expect(wrong).toEqual([])
    })
  }

  it("anywhere in the dump costs nothing: the dump before it and the journal give the same state", () => {
    const chance = new Chance("dump")
    const content = contentOf(small, "state_dump.json")
    const wrong: Array<string> = []
    for (let at = 0; at < content.length; at += everyByte ? 1 : 3) {
      const { refused, state } = found(withFile(small, "state_dump.json", damaged(content, at, chance)))
      // another version may be anything, and is left alone
      if (refused?.includes("newer version") === true || sameState(state, whole)) continue
      wrong.push(`byte ${at}: ${refused ?? difference(state, whole)}`)
    }
    expect(wrong).toEqual([])
  })

  it("anywhere in both dumps refuses the start and leaves every file as it is", () => {
    const chance = new Chance("both")
    const [dump, previous] = ["state_dump.json", "state_dump.prev.json"]
    for (let at = 0; at < contentOf(small, dump).length; at += 97) {
      const content = contentOf(small, previous)
      const both = new Map([
        ...small,
        [dump, damaged(contentOf(small, dump), at, chance)] as const,
        [previous, damaged(content, chance.below(content.length), chance)] as const
      ])
      const { exit, files: left } = DataDirectory.start(both)
      expect(Exit.isFailure(exit) && String(exit.cause)).toMatch(/venom doctor|newer version/)
      expect(left).toEqual(both)
    }
  })

  it("in a journal lets the service start, sets the segment aside, and is told once", () => {
    const intact = replay(files, () => true)
    const isTold = (line: string) => /torn end|Damage was found/.test(line)
    for (let at = 60; at < journal.length; at += 1511) {
      const content = damaged(journal, at, new Chance(at))
      const costs = !sameState(found(withFile(files, last, content)).state, intact)
      const first = DataDirectory.start(withFile(files, last, content))
      const aside = contentOf(first.files, `${last}.bad`)
      const [told, isTorn] = [first.log.some(isTold), first.log.some((line) => line.includes("torn end"))]
      expect(Exit.isSuccess(first.exit)).toBe(true)
      // the digits of a checksum may be written large
      expect(told || !costs).toBe(true)
      expect(aside.length > 0).toBe(told)
      expect(isTorn || !told || sameBytes(aside, content)).toBe(true)
      expect(DataDirectory.start(first.files).log.filter(isTold)).toEqual([])
    }
  })
})

describe("a missing file", () => {
  it("the newest dump: the one before and the journal give the same state", () => {
    const left = new Map(files)
    left.delete("state_dump.json")
    expect(found(left).state).toEqual(replay(files, () => true))
  })

  it("a segment: the start is refused, or what is missing is told", () => {
    for (const segment of segmentsOf(files)) {
      const left = new Map(files)
      left.delete(segment)
      const { damage, refused, state } = found(left)
      const isCovered = sameState(
        state,
        replay(files, () => true)
      )
      expect(refused !== undefined || damage.length > 0 || isCovered || segment === last).toBe(true)
    }
  })

  it("all of them: an empty state", () => {
    const { damage, state } = found(new Map())
    expect(state.size).toBe(0)
    expect(damage).toEqual([])
  })
})

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

const sameState = (a: DataDirectory.State, b: DataDirectory.State | undefined): boolean => difference(a, b) === ""

const difference = (a: DataDirectory.State, b: DataDirectory.State | undefined): string => {
  const ids = new Set([...a.keys(), ...(b?.keys() ?? [])])
  for (const id of ids) {
    const [one, other] = [JSON.stringify(a.get(id)), JSON.stringify(b?.get(id))]
    if (one !== other) return `found ${one}, expected ${other}`
  }
  return ""
}
