import { Clock, Context, Effect, Exit, FileSystem, Logger } from "effect"
import { expect, it } from "vitest"
import * as FileStateRepository from "../../src/adapters/file/FileStateRepository.ts"
import * as Lock from "../../src/adapters/file/Lock.ts"
import * as Room from "../../src/adapters/file/Room.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { submitted } from "../support/tasks.ts"
import { Chance } from "./Chance.ts"
import { inWorld } from "./inWorld.ts"
import { SimulatedDisk } from "./SimulatedDisk.ts"
import { World } from "./World.ts"

/** Runs the repository on a disk where each call takes a millisecond; what it logs, and how long it ran. */
const running = (
  options: Partial<FileStateRepository.FileOptions>,
  use: (repository: StateRepository["Service"], disk: SimulatedDisk, world: World) => Effect.Effect<void, unknown>
) => {
  const world = new World()
  const disk = new SimulatedDisk(world, new Chance(1))
  disk.latency = [1, 1]
  const logged: Array<string> = []
  const logger = Logger.make(({ message }) => void logged.push(String(message)))
  const work = Effect.flatMap(StateRepository, (repository) => use(repository, disk, world)).pipe(
    Effect.provide(FileStateRepository.layer({ directory: "/data", ...options })),
    Effect.provideContext(
      Context.make(FileSystem.FileSystem, disk.fileSystem).pipe(
        Context.add(Clock.Clock, world.clock),
        Context.add(Lock.Lock, () => Effect.void),
        Context.add(Room.AskSpace, () => Effect.succeedNone),
        Context.add(Logger.CurrentLoggers, new Set([logger]))
      )
    )
  )
  expect(inWorld(world, work)).toEqual(Exit.void)
  return { logged, millis: world.now }
}

const smallState = 3_000_000

/** Submits one task after the other: how often, and what share of the time, it dumped. */
const submitting = (tasks: number, content: string, journalMaxBytes: number) => {
  const seen = { dumps: 0, millis: 0, growth: 0 }
  const { millis } = running({ dumpInterval: "1 hour", journalMaxBytes }, (repository, disk, world) => {
    let began: number | undefined
    disk.onOperation = ({ path, syscall }) => {
      if (syscall === "open" && path.endsWith("state_dump.json.tmp")) began = world.now
      if (syscall !== "rename" || began === undefined || !path.endsWith("state_dump.json.tmp")) return
      seen.dumps++
      seen.millis += world.now - began
      began = undefined
    }
    return Effect.gen(function* () {
      for (let n = 1; n <= tasks; n++) {
        yield* repository.insert([submitted(n, { content })])
        const files = disk.files("/data")
        const dump = files.get("state_dump.json")?.length ?? 0
        // a small state is dumped in no time
        if (dump < smallState) continue
        for (const [name, { length }] of files)
          if (name.startsWith("journal")) seen.growth = Math.max(seen.growth, length / Math.max(dump, journalMaxBytes))
      }
    })
  })
  return { ...seen, share: seen.millis / millis }
}

it("a journal that is too large forces a dump, but dumping takes no more than 5 % of the time for it", () => {
  const { dumps, share } = submitting(2000, "x", 2000)
  expect(dumps).toBeGreaterThan(5)
  expect(share).toBeLessThan(0.05)
})

it("a segment waits for that only until it is as large as the state, or twice its limit", () => {
  const { dumps, growth } = submitting(400, "x".repeat(100_000), 2000)
  expect(dumps).toBeGreaterThan(2)
  expect(growth).toBeLessThan(2)
})

it("the dump of a stop that cannot be written is told, though one before could not be either", () => {
  const { logged } = running({ dumpInterval: "10 millis" }, (repository, disk) =>
    Effect.gen(function* () {
      yield* repository.insert([submitted(1, { content: "x".repeat(10_000) })])
      yield* Effect.sleep("1 second")
      disk.capacity = disk.used + 5000
      yield* repository.insert([submitted(2)])
      yield* Effect.sleep("1 minute")
    })
  )
  expect(logged.filter((message) => message.includes("No dump could be written"))).toHaveLength(2)
})
