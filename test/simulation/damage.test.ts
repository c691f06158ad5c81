import { Exit } from "effect"
import { describe, expect, it } from "vitest"
import { fromWire, type TaskWire, toWire } from "../../src/domain/TaskJson.ts"
import { Chance } from "./Chance.ts"
import * as DataDirectory from "./DataDirectory.ts"
import { everything } from "../support/everything.ts"

/** A journal of a few hundred records. */
const files = DataDirectory.made(120)
const small = DataDirectory.made(2)

const segmentsOf = (files: DataDirectory.Files) =>
  Array.from(files.keys())
    .filter((name) => /^journal-.*\.jsonl$/.test(name))
    .sort()
const contentOf = (files: DataDirectory.Files, name: string) => files.get(name) ?? new Uint8Array()
const newline = 0x0a

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

const isTold = (line: string) => /torn end|Damage was found/.test(line)

/** The service starts with that state, goes on, and has it all again after another start, which finds nothing wrong. */
const goesOnWith = (files: DataDirectory.Files, state: DataDirectory.State | undefined) => {
  const first = DataDirectory.goOn(files)
  const second = DataDirectory.start(first.files)
  if (Exit.isFailure(first.exit)) return { ...first, wrong: `it does not start: ${String(first.exit.cause)}` }
  if (Exit.isFailure(second.exit)) return { ...first, wrong: `it does not start again: ${String(second.exit.cause)}` }
  const { after, before } = first.exit.value
  const wrong = [
    difference(before, state),
    after.size === before.size + 2 ? "" : "what it did then is not there",
    difference(second.exit.value, after),
    second.log.filter(isTold).join()
  ]
  return { ...first, wrong: wrong.find((one) => one !== "") }
}

const lines = linesOf(journal)
const hundredth = lines.at(-101) ?? 0
const lastOne = lines.at(-2) ?? 0

it("the journal has a few hundred records", () => {
  expect(lines.length).toBeGreaterThan(300)
})

describe("a journal cut off anywhere in its last hundred records", { timeout: 3_600_000 }, () => {
  const states = new Map<number, DataDirectory.State>()
  const stateOfLines = (whole: number) => {
    const state = states.get(whole) ?? replay(files, (segment, line) => segment !== last || line < whole)
    states.set(whole, state)
    return state
  }
  const cutAt = (cut: number) => {
    const whole = lines.findLastIndex((start) => start <= cut)
    const position = lines[whole] ?? 0
    return { files: withFile(files, last, journal.subarray(0, cut)), expected: stateOfLines(whole), position }
  }

  it("gives all whole records before the cut", () => {
    const wrong: Array<string> = []
    for (let cut = hundredth; cut <= journal.length; cut += everything ? 1 : cut > lastOne ? 3 : 397) {
      const { expected, files, position } = cutAt(cut)
      const { damage, state } = found(files)
      const told = damage.map((one) => `${one.torn} ${one.bytes} ${one.position}`).join()
      if (told !== (cut === position ? "" : `true ${cut - position} ${position}`))
        wrong.push(`byte ${cut}: told ${told}`)
      if (!sameState(state, expected)) wrong.push(`byte ${cut}: ${difference(state, expected)}`)
    }
    expect(wrong).toEqual([])
  })

  it("starts, sets the torn bytes aside and says how many, goes on, and has it all after another start", () => {
    const wrong: Array<string> = []
    for (let cut = hundredth; cut <= journal.length; cut += everything ? 7 : 997) {
      const { expected, files, position } = cutAt(cut)
      const torn = journal.subarray(position, cut)
      const gone = goesOnWith(files, expected)
      if (gone.wrong !== undefined) wrong.push(`byte ${cut}: ${gone.wrong}`)
      const told = gone.log.filter(isTold)
      if (torn.length === 0 ? told.length > 0 : !told.join().includes(`(${torn.length} bytes)`))
        wrong.push(`byte ${cut}: ${torn.length} torn bytes, and the log says ${told.join()}`)
      if (!sameBytes(contentOf(gone.files, `${last}.bad`), torn)) wrong.push(`byte ${cut}: other bytes are set aside`)
    }
    expect(wrong).toEqual([])
  })
})

const damaged = (content: Uint8Array, at: number, chance: Chance): Uint8Array => {
  const copy = content.slice()
  copy[at] = (copy[at] ?? 0) ^ (1 << chance.below(8))
  return copy
}

describe("one bit changed", { timeout: 3_600_000 }, () => {
  const whole = replay(small, () => true)

  for (const segment of segmentsOf(small)) {
    it(`anywhere in ${segment} costs the record it stands in, and no other`, () => {
      const chance = new Chance(segment)
      const content = contentOf(small, segment)
      const lines = linesOf(content)
      const states = new Map<string, DataDirectory.State>()
      const wrong: Array<string> = []
      for (let at = 0; at < content.length; at += everything ? 1 : 3) {
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
    for (let at = 0; at < content.length; at += everything ? 1 : 3) {
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

  it("in any of the last hundred records costs no other: it starts, sets the segment aside, goes on, and has it all", () => {
    const intact = replay(files, () => true)
    const chance = new Chance("journal")
    const wrong: Array<string> = []
    for (let line = lines.length - 101; line < lines.length - 1; line += everything ? 1 : 9) {
      const [begin = 0, end = 0] = lines.slice(line, line + 2)
      const without = replay(files, (segment, number) => segment !== last || number !== line)
      // not its line end: then it runs into the next
      for (let at = begin + chance.below(end - begin - 1); at < end - 1; at += everything ? 29 : end) {
        const content = damaged(journal, at, chance)
        // the digits of a checksum may be written large
        const isHarmless = sameState(found(withFile(files, last, content)).state, intact)
        const gone = goesOnWith(withFile(files, last, content), isHarmless ? intact : without)
        if (gone.wrong !== undefined) wrong.push(`byte ${at}: ${gone.wrong}`)
        const isTorn = gone.log.some((entry) => entry.includes("torn end"))
        const aside = contentOf(gone.files, `${last}.bad`)
        if (!isHarmless && !gone.log.some(isTold)) wrong.push(`byte ${at}: not told`)
        if (!isHarmless && !sameBytes(aside, isTorn ? content.subarray(begin) : content))
          wrong.push(`byte ${at}: other bytes are set aside`)
      }
    }
    expect(wrong).toEqual([])
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
