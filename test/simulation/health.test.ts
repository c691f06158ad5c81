import { Clock, Context, Effect, Exit, FileSystem, Stream } from "effect"
import { expect, it } from "vitest"
import * as FileStateRepository from "../../src/adapters/file/FileStateRepository.ts"
import * as Lock from "../../src/adapters/file/Lock.ts"
import * as Room from "../../src/adapters/file/Room.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { submitted } from "../support/tasks.ts"
import { Chance } from "./Chance.ts"
import { failingSyncs } from "./Faults.ts"
import { inWorld } from "./inWorld.ts"
import { SimulatedDisk } from "./SimulatedDisk.ts"
import { World } from "./World.ts"

it("who deletes is told when trouble begins and when it ends: what was passed over may be finished again", () => {
  const world = new World()
  const disk = new SimulatedDisk(world, new Chance(1))
  const told: Array<string> = []
  let now = "before"
  const work = Effect.gen(function* () {
    const repository = yield* StateRepository
    yield* Effect.forkChild(Stream.runForEach(repository.finished, () => Effect.sync(() => told.push(now))))
    yield* Effect.sleep("1 second")
    now = "in trouble"
    disk.troubles = [failingSyncs(1)]
    yield* Effect.flip(repository.insert([submitted(1)]))
    yield* Effect.sleep("5 seconds")
    now = "after it"
    disk.troubles = []
    yield* Effect.sleep("5 seconds")
  }).pipe(
    Effect.provide(FileStateRepository.layer({ directory: "/data" })),
    Effect.provideContext(
      Context.make(FileSystem.FileSystem, disk.fileSystem).pipe(
        Context.add(Clock.Clock, world.clock),
        Context.add(Lock.Lock, () => Effect.void),
        Context.add(Room.AskSpace, () => Effect.succeedNone)
      )
    )
  )
  expect(inWorld(world, work)).toEqual(Exit.void)
  expect(told).toEqual(["in trouble", "after it"])
})
