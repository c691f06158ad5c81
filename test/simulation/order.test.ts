import { Cause, Clock, Context, Effect, Exit, FileSystem, Layer, Logger } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import * as FileStateRepository from "../../src/adapters/file/FileStateRepository.ts"
import * as Lock from "../../src/adapters/file/Lock.ts"
import * as Room from "../../src/adapters/file/Room.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { submitted } from "../support/tasks.ts"
import { Chance } from "./Chance.ts"
import * as DataDirectory from "./DataDirectory.ts"
import * as Faults from "./Faults.ts"
import { inWorld } from "./inWorld.ts"
import { SimulatedDisk } from "./SimulatedDisk.ts"
import { World } from "./World.ts"

const directory = "/data"

/** The rows of the table under a heading of the documentation; without the two of its own heading. */
const tableUnder = (heading: string): ReadonlyArray<ReadonlyArray<string>> => {
  const text = readFileSync(join(import.meta.dirname, "../../docs/journal-format.md"), "utf8")
  const [, part = ""] = text.split(`\n### ${heading}\n`)
  const rows = Array.from(part.split(/\n##/)[0]?.matchAll(/^\|(.*)\|$/gm) ?? [], ([, row = ""]) => row)
  return rows.slice(2).map((row) => row.split("|").map((cell) => cell.trim()))
}

const operationsUnder = (heading: string) => tableUnder(heading).map(([operation]) => operation)

const verbs: Readonly<Record<string, string>> = { open: "create", fsync: "sync", rm: "remove", mkdir: "make" }

const nameOf = (path: string) =>
  path === directory ? "the directory" : path === "/" ? "the directory above" : path.replace(`${directory}/`, "")

/** An operation as the documentation spells it. */
const spelled = ({ method, names, path, syscall }: Faults.Operation): string => {
  const verb = method === "truncate" ? "cut" : (verbs[syscall] ?? syscall)
  return `\`${verb} ${names === undefined ? nameOf(path) : names.map(nameOf).join(" to ")}\``
}

/** A repository on a disk, and the operations it makes that change something. */
class Machine {
  readonly disk: SimulatedDisk
  readonly #world = new World()
  #operations: Array<string> = []
  /** Told when an operation is done, and the next one is about to begin. */
  onOperation: (done: string) => void = () => {}

  constructor(files: DataDirectory.Files = new Map()) {
    this.disk = new SimulatedDisk(this.#world, new Chance(1))
    this.disk.latency = [1, 1]
    if (files.size > 0) this.disk.putDirectory(directory)
    for (const [name, content] of files) this.disk.put(`${directory}/${name}`, content)
    this.disk.onOperation = (operation) => {
      if (!operation.mutates) return
      const last = this.#operations.at(-1)
      if (last !== undefined) this.onOperation(last)
      this.#operations.push(spelled(operation))
    }
  }

  /** The operations since the last time; one that is made in several pieces stands there once. */
  take(): ReadonlyArray<string> {
    const taken = this.#operations.splice(0)
    return taken.filter((operation, at) => operation !== taken[at - 1])
  }

  live(use: (repository: StateRepository["Service"]) => Effect.Effect<unknown, unknown>): void {
    const services = Context.make(FileSystem.FileSystem, this.disk.fileSystem).pipe(
      Context.add(Clock.Clock, this.#world.clock),
      Context.add(Lock.Lock, () => Effect.void),
      Context.add(Room.AskSpace, () => Effect.succeedNone),
      Context.add(Logger.CurrentLoggers, new Set())
    )
    const life = Layer.build(FileStateRepository.layer({ directory })).pipe(
      Effect.flatMap((built) => use(Context.get(built, StateRepository))),
      Effect.scoped,
      Effect.provideContext(services)
    )
    const exit = inWorld(this.#world, life)
    if (Exit.isFailure(exit)) throw new Error(Cause.pretty(exit.cause))
  }
}

/** Power failures tried after each operation. */
const samples = 400

/** What each of the files may be after each operation, before the next. */
class Watch {
  readonly #rows: Array<{ readonly operation: string; readonly states: Array<Set<string>> }> = []

  constructor(machine: Machine, describeFiles: (files: DataDirectory.Files, after: string) => ReadonlyArray<string>) {
    machine.take()
    machine.onOperation = (operation) => {
      // an operation in several pieces is one
      if (this.#rows.at(-1)?.operation !== operation) this.#rows.push({ operation, states: [] })
      const { states } = this.#rows.at(-1) ?? { states: [] }
      for (let seed = 0; seed < samples; seed++) {
        const files = machine.disk.leftByPowerFailure(directory, new Chance(seed))
        for (const [at, state] of describeFiles(files, operation).entries()) (states[at] ??= new Set()).add(state)
      }
    }
  }

  get rows(): ReadonlyArray<ReadonlyArray<string>> {
    const inOrder = (states: ReadonlySet<string>) =>
      ["–", "part", "whole", "A", "B", "C"].filter((one) => states.has(one))
    return this.#rows.map(({ operation, states }) => [operation, ...states.map((one) => inOrder(one).join(" "))])
  }
}

const text = (content: Uint8Array | undefined) => new TextDecoder().decode(content)

const segment = (content: Uint8Array | undefined, lines: number): string => {
  if (content === undefined) return "–"
  const found = text(content)
  return found.split("\n").length === lines + 1 && found.endsWith("\n") && !found.includes("\0") ? "whole" : "part"
}

/** A dump is called by its turn: they go up to the records 0, 1, and 2. */
const dump = (content: Uint8Array | undefined): string => {
  if (content === undefined) return "–"
  const [, sequence = "3"] = /"sequence":(\d+)/.exec(text(content)) ?? []
  return text(content).endsWith('"}\n') && !text(content).includes("\0")
    ? (["A", "B", "C"][Number(sequence)] ?? "part")
    : "part"
}

describe(
  "the order of operations is the documented one, and a crash leaves what is documented:",
  { timeout: 60_000 },
  () => {
    it("a batch", () => {
      const machine = new Machine()
      machine.live((repository) =>
        Effect.gen(function* () {
          yield* repository.insert([submitted(1)])
          yield* Effect.sleep("500 millis")
          const name = "journal-00000002.jsonl"
          const before = machine.disk.files(directory).get(name)?.length ?? 0
          const watch = new Watch(machine, (files) => {
            const added = files.get(name)?.subarray(before) ?? new Uint8Array()
            return [added.length === 0 ? "–" : segment(added, 1)]
          })
          yield* repository.insert([submitted(2)])
          yield* Effect.sleep("2 seconds")
          const documented = tableUnder("A batch")
          expect(watch.rows.slice(0, 2)).toEqual(documented.map((row) => row.slice(0, 2)))
        })
      )
    })

    it("a dump and a new segment; and each of it is read as the whole state", () => {
      const machine = new Machine()
      const left = new Map<string, DataDirectory.Files>()
      machine.live((repository) =>
        Effect.gen(function* () {
          yield* repository.insert([submitted(1)])
          yield* Effect.sleep("500 millis")
          // written, and not yet synced
          const watch = new Watch(machine, (files, after) => {
            const row = [
              segment(files.get("journal-00000001.jsonl"), 2),
              segment(files.get("journal-00000002.jsonl"), 2),
              segment(files.get("journal-00000003.jsonl"), 1),
              dump(files.get("state_dump.json.tmp")),
              dump(files.get("state_dump.prev.json.tmp")),
              dump(files.get("state_dump.prev.json")),
              dump(files.get("state_dump.json"))
            ]
            left.set(`after ${after}: ${row.join()}`, files)
            return row
          })
          yield* repository.claim({ limit: 1, now: 1 })
          yield* Effect.sleep("2 seconds")
          yield* repository.insert([submitted(2)])
          const documented = tableUnder("A dump and a new segment")
          expect(watch.rows.slice(0, documented.length)).toEqual(documented)
          expect(watch.rows[documented.length]?.[0]).toBe("`write journal-00000003.jsonl`")
        })
      )
      expect(left.size).toBeGreaterThan(40)
      for (const [name, files] of left) {
        const { exit, log } = DataDirectory.start(files)
        if (Exit.isFailure(exit)) throw new Error(`${name}: ${String(exit.cause)}`)
        const task = Array.from(exit.value.values()).find(({ content }) => content === "task 1")
        const mayBe = name.startsWith("after `write journal-00000002.jsonl`")
          ? ["PENDING", "PROCESSING"]
          : ["PROCESSING"]
        expect({ name, isKnown: mayBe.includes(task?.status ?? "") }).toEqual({ name, isKnown: true })
        expect({ name, errors: log.filter((line) => line.startsWith("Error")) }).toEqual({ name, errors: [] })
      }
    })

    it("a start after a kill", () => {
      const before = new Machine()
      let files: DataDirectory.Files = new Map()
      before.live((repository) =>
        Effect.gen(function* () {
          yield* repository.insert([submitted(1)])
          yield* Effect.sleep("500 millis")
          yield* repository.insert([submitted(2)])
          files = new Map(Array.from(before.disk.files(directory), ([name, content]) => [name, content.slice()]))
        })
      )
      const last = "journal-00000002.jsonl"
      const torn = Buffer.concat([files.get(last) ?? Buffer.of(), Buffer.from("torn")])
      const machine = new Machine(new Map([...files, [last, torn]]))
      machine.live(() => Effect.sync(() => expect(machine.take()).toEqual(operationsUnder("A start after a crash"))))
    })

    it("the way back after a failed sync", () => {
      const machine = new Machine()
      machine.live((repository) =>
        Effect.gen(function* () {
          yield* repository.insert([submitted(1)])
          yield* Effect.sleep("500 millis")
          machine.take()
          machine.disk.troubles = [Faults.failingSyncs(1)]
          yield* Effect.ignore(repository.insert([submitted(2)]))
          machine.disk.troubles = []
          yield* Effect.sleep("1500 millis")
          expect(machine.take()).toEqual(operationsUnder("The way back after a failed sync"))
        })
      )
    })
  }
)
