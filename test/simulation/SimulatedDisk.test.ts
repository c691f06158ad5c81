import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, Exit, FileSystem, Option, type PlatformError, Predicate } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { Chance } from "./Chance.ts"
import * as Faults from "./Faults.ts"
import { inWorld } from "./inWorld.ts"
import { SimulatedDisk } from "./SimulatedDisk.ts"
import { World } from "./World.ts"

const makeDisk = (seed: number) => {
  const world = new World()
  const disk = new SimulatedDisk(world, new Chance(seed))
  const run = <A>(effect: (fs: FileSystem.FileSystem) => Effect.Effect<A, PlatformError.PlatformError>) => {
    const exit = inWorld(world, effect(disk.fileSystem))
    if (Exit.isFailure(exit)) throw new Error(String(exit.cause))
    return exit.value
  }
  run((fs) => fs.makeDirectory("/d"))
  run((fs) => syncNames(fs))
  return { disk, run, world }
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytes = (text: string) => new TextEncoder().encode(text)

const syncNames = (fs: FileSystem.FileSystem) =>
  Effect.forEach(["/", "/d"], (path) => Effect.scoped(Effect.flatMap(fs.open(path), (file) => file.sync)), {
    discard: true
  })

const append = (fs: FileSystem.FileSystem, path: string, content: string, synced: boolean) =>
  Effect.scoped(
    Effect.gen(function* () {
      const file = yield* fs.open(path, { flag: "a" })
      yield* file.writeAll(bytes(content))
      if (synced) yield* file.sync
    })
  )

/** What a crash leaves, over many seeds. */
const survivors = (prepare: (fs: FileSystem.FileSystem) => Effect.Effect<unknown, PlatformError.PlatformError>) =>
  Array.from({ length: 200 }, (_, seed) => {
    const { disk, run } = makeDisk(seed)
    run((fs) => Effect.ignore(prepare(fs)))
    disk.powerOff()
    return Object.fromEntries(Array.from(disk.files("/d"), ([name, content]) => [name, text(content)]))
  })

describe("after a power failure", () => {
  it("what was synced, under a name that was synced, is there", () => {
    for (const files of survivors((fs) => Effect.andThen(append(fs, "/d/a", "synced", true), syncNames(fs)))) {
      expect(files).toEqual({ a: "synced" })
    }
  })

  it("a name that was not synced may be missing", () => {
    const found = survivors((fs) => append(fs, "/d/a", "synced", true)).map((files) => "a" in files)
    expect(new Set(found)).toEqual(new Set([true, false]))
  })

  it("an unsynced write is lost, kept, torn, or zeros", () => {
    const found = survivors((fs) =>
      Effect.gen(function* () {
        yield* append(fs, "/d/a", "synced,", true)
        yield* syncNames(fs)
        yield* append(fs, "/d/a", "unsynced", false)
      })
    ).map((files) => files["a"] ?? "")
    expect(found.every((content) => content.startsWith("synced,"))).toBe(true)
    for (const one of ["synced,", "synced,unsynced", `synced,${"\0".repeat(8)}`, "synced,uns", "synced,\0\0\0\0nced"]) {
      expect(found).toContain(one)
    }
  })

  it("of two unsynced writes the second may be there without the first", () => {
    const found = survivors((fs) =>
      Effect.gen(function* () {
        yield* append(fs, "/d/a", "", true)
        yield* syncNames(fs)
        yield* append(fs, "/d/a", "11", false)
        yield* append(fs, "/d/a", "22", false)
      })
    )
    expect(found).toContainEqual({ a: "\0\x0022" })
  })

  it("a rename is done or not, never half", () => {
    const found = survivors((fs) =>
      Effect.gen(function* () {
        yield* append(fs, "/d/old", "old", true)
        yield* append(fs, "/d/new", "new", true)
        yield* syncNames(fs)
        yield* fs.rename("/d/new", "/d/old")
      })
    )
    const all = [{ old: "old", new: "new" }, { old: "new" }]
    for (const files of found) expect(all).toContainEqual(files)
    for (const one of all) expect(found).toContainEqual(one)
  })

  it("of two unsynced changes of names the second may be there without the first", () => {
    const found = survivors((fs) =>
      Effect.gen(function* () {
        yield* append(fs, "/d/a", "", true)
        yield* syncNames(fs)
        yield* fs.link("/d/a", "/d/b")
        yield* fs.link("/d/a", "/d/c")
      })
    )
    expect(found).toContainEqual({ a: "", c: "" })
  })

  it("what a failed sync was to write is in doubt, though the next sync succeeds", () => {
    const contents = Array.from({ length: 200 }, (_, seed) => {
      const { disk, run } = makeDisk(seed)
      run((fs) => Effect.andThen(append(fs, "/d/a.log", "", true), syncNames(fs)))
      run((fs) =>
        Effect.scoped(
          Effect.gen(function* () {
            const file = yield* fs.open("/d/a.log", { flag: "r+" })
            yield* file.writeAll(bytes("doubtful"))
            disk.troubles = [Faults.failingSyncs(1)]
            yield* Effect.ignore(file.sync)
            disk.troubles = []
            yield* file.sync
          })
        )
      )
      disk.powerOff()
      return text(disk.files("/d").get("a.log") ?? new Uint8Array())
    })
    expect(contents).toContain("")
    expect(contents).toContain("doubtful")
  })

  it("what is durable is not lost by a second one", () => {
    const { disk, run } = makeDisk(1)
    run((fs) => Effect.andThen(append(fs, "/d/a", "synced", true), syncNames(fs)))
    for (let times = 0; times < 5; times++) disk.powerOff()
    expect(Array.from(disk.files("/d").keys())).toEqual(["a"])
  })
})

describe("a disk that", () => {
  it("has little room takes a part, then none", () => {
    const { disk, run } = makeDisk(1)
    disk.capacity = 10
    const outcome = run((fs) =>
      Effect.scoped(
        Effect.gen(function* () {
          const file = yield* fs.open("/d/a", { flag: "w" })
          const first = yield* file.write(bytes("123456"))
          const second = yield* file.write(bytes("123456"))
          return { first, second, third: yield* answer(file.write(bytes("1"))) }
        })
      )
    )
    expect(outcome).toEqual({
      first: 6,
      second: 4,
      third: { method: "write", tag: "Unknown", code: "ENOSPC", syscall: "write" }
    })
  })

  it("lost the directory still takes writes to the open file, which has no name left", () => {
    const { disk, run } = makeDisk(1)
    const links = run((fs) =>
      Effect.scoped(
        Effect.gen(function* () {
          const file = yield* fs.open("/d/a", { flag: "w" })
          disk.removeTree("/d")
          yield* file.writeAll(bytes("for nobody"))
          return (yield* file.stat).nlink
        })
      )
    )
    expect(links).toEqual(Option.some(0n))
    expect(run((fs) => fs.exists("/d"))).toBe(false)
  })
})

/** What came of it, an error in the words that are the same here as from Node. */
const answer = <A>(effect: Effect.Effect<A, PlatformError.PlatformError>) =>
  Effect.match(effect, { onFailure: (error): unknown => shape(error), onSuccess: (value): unknown => value })

const shape = ({ reason }: PlatformError.PlatformError) => ({
  tag: reason._tag,
  method: reason.method,
  syscall: "syscall" in reason ? reason.syscall : undefined,
  code: Predicate.hasProperty(reason.cause, "code") ? reason.cause.code : undefined
})

describe("as the real file system", () => {
  const names = ["a", "b", "c"]

  /** Something random with files, and what came of it. */
  const step = (fs: FileSystem.FileSystem, root: string, chance: Chance) => {
    const [one, other] = [`${root}/${chance.pick("a", ...names)}`, `${root}/${chance.pick("a", ...names)}`]
    const content = bytes("x".repeat(chance.below(20)))
    const length = chance.below(20)
    const flag = chance.pick<FileSystem.OpenFlag>("r+", "w", "wx", "a", "r")
    const act = chance.pick<() => Effect.Effect<unknown>>(
      () => answer(fs.rename(one, other)),
      () => answer(fs.link(one, other)),
      () => answer(fs.remove(one)),
      () => answer(fs.remove(one, { force: true })),
      () => answer(fs.truncate(one, length)),
      () => answer(fs.exists(one)),
      () => answer(fs.stat(one).pipe(Effect.map(({ nlink, size, type }) => ({ nlink, size: String(size), type })))),
      () => answer(fs.readFileString(one)),
      () => answer(fs.writeFile(one, content)),
      () => answer(fs.writeFile(one, content, { flag: "wx" })),
      () => answer(fs.makeDirectory(root)),
      () => answer(fs.makeDirectory(root, { recursive: true })),
      () =>
        answer(
          fs.open(root, { flag: "r" }).pipe(
            Effect.flatMap((file) => file.sync),
            Effect.scoped
          )
        ),
      () =>
        answer(
          Effect.scoped(
            Effect.gen(function* () {
              const file = yield* fs.open(one, { flag })
              yield* file.writeAll(content)
              yield* file.truncate(length)
              yield* file.writeAll(content)
              yield* file.sync
              yield* file.seek(2n, "start")
              const read = yield* answer(Effect.map(file.readAlloc(7), Option.map(text)))
              return { read, nlink: (yield* file.stat).nlink }
            })
          )
        )
    )
    return act()
  }

  for (const seed of [1, 2, 3, 4, 5]) {
    it(`it answers, whatever it is asked (${seed})`, async () => {
      const { run } = makeDisk(seed)
      const root = mkdtempSync(join(tmpdir(), "venom-disk-"))
      try {
        const real = Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const chance = new Chance(seed)
          const steps: Array<unknown> = []
          for (let n = 0; n < 150; n++) steps.push(yield* step(fs, root, chance))
          return { steps, names: (yield* fs.readDirectory(root)).sort() }
        })
        const simulated = run((fs) =>
          Effect.gen(function* () {
            const chance = new Chance(seed)
            const steps: Array<unknown> = []
            for (let n = 0; n < 150; n++) steps.push(yield* step(fs, "/d", chance))
            return { steps, names: (yield* fs.readDirectory("/d")).sort() }
          })
        )
        expect(simulated).toEqual(await Effect.runPromise(Effect.provide(real, NodeFileSystem.layer)))
      } finally {
        rmSync(root, { recursive: true })
      }
    })
  }
})
