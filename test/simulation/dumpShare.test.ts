import { Clock, Context, Effect, Exit, FileSystem, References } from "effect"
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

/** Submits one task after the other on a disk where each call takes a millisecond; how often, and how long, it dumped. */
const dumping = (tasks: number, content: string, journalMaxBytes: number) => {
  const world = new World()
  const disk = new SimulatedDisk(world, new Chance(1))
  disk.latency = [1, 1]
  const seen = { dumps: 0, millis: 0, growth: 0 }
  let began: number | undefined
  disk.onOperation = ({ path, syscall }) => {
    if (syscall === "open" && path.endsWith("state_dump.json.tmp")) began = world.now
    if (syscall !== "rename" || began === undefined || !path.endsWith("state_dump.json.tmp")) return
    seen.dumps++
    seen.millis += world.now - began
    began = undefined
  }
  const work = Effect.gen(function* () {
    const repository = yield* StateRepository
    for (let n = 1; n <= tasks; n++) {
      yield* repository.insert([submitted(n, { content })])
      const files = disk.files("/data")
      const dump = files.get("state_dump.json")?.length ?? 0
      const journals = Array.from(files).filter(([name]) => name.startsWith("journal"))
      // a small state is dumped in no time
      if (dump > 100_000)
        seen.growth = Math.max(
          seen.growth,
          ...journals.map(([, { length }]) => length / Math.max(dump, journalMaxBytes))
        )
    }
  }).pipe(
    Effect.provide(FileStateRepository.layer({ directory: "/data", dumpInterval: "1 hour", journalMaxBytes })),
    Effect.provideContext(
      Context.make(FileSystem.FileSystem, disk.fileSystem).pipe(
        Context.add(Clock.Clock, world.clock),
        Context.add(Lock.Lock, () => Effect.void),
        Context.add(Room.AskSpace, () => Effect.succeedNone),
        Context.add(References.MinimumLogLevel, "None")
      )
    )
  )
  expect(inWorld(world, work)).toEqual(Exit.void)
  return { ...seen, share: seen.millis / world.now }
}

it("a journal that is too large forces a dump, but dumping takes no more than 5 % of the time for it", () => {
  const { dumps, share } = dumping(2000, "x", 2000)
  expect(dumps).toBeGreaterThan(10)
  expect(share).toBeLessThan(0.05)
})

it("a journal never waits for that until it is many times its limit, and the state", () => {
  const { dumps, growth } = dumping(300, "x".repeat(100_000), 2000)
  expect(dumps).toBeGreaterThan(2)
  expect(growth).toBeLessThan(10)
})
