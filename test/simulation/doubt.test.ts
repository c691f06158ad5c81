import { Cause, Clock, Context, Effect, Exit, FileSystem, Layer, Logger } from "effect"
import { describe, expect, it } from "vitest"
import * as FileStateRepository from "../../src/adapters/file/FileStateRepository.ts"
import * as Lock from "../../src/adapters/file/Lock.ts"
import * as Room from "../../src/adapters/file/Room.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import type { VenomTask } from "../../src/domain/Task.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { submitted } from "../support/tasks.ts"
import { Chance } from "./Chance.ts"
import { failingSyncs } from "./Faults.ts"
import { inWorld } from "./inWorld.ts"
import { SimulatedDisk } from "./SimulatedDisk.ts"
import { World } from "./World.ts"

const directory = "/data"
type Repository = StateRepository["Service"]

/** A life of the repository over a disk; the tasks it leaves are given. */
const live = (
  world: World,
  disk: SimulatedDisk,
  fsync: "always" | "interval",
  use: (repository: Repository) => Effect.Effect<unknown, unknown>
): ReadonlyArray<VenomTask> => {
  let left: ReadonlyArray<VenomTask> = []
  const services = Context.make(FileSystem.FileSystem, disk.fileSystem).pipe(
    Context.add(Clock.Clock, world.clock),
    Context.add(Lock.Lock, () => Effect.void),
    Context.add(Room.AskSpace, () => Effect.succeedNone),
    Context.add(Logger.CurrentLoggers, new Set())
  )
  const exit = inWorld(
    world,
    Layer.build(FileStateRepository.layer({ directory, fsync, dumpInterval: "1 hour" })).pipe(
      Effect.flatMap((built) => {
        const repository = Context.get(built, StateRepository)
        return Effect.andThen(
          use(repository),
          Effect.map(repository.page({}, { limit: 100 }), ({ tasks }) => (left = tasks))
        )
      }),
      Effect.scoped,
      Effect.provideContext(services)
    )
  )
  if (Exit.isFailure(exit)) throw new Error(Cause.pretty(exit.cause))
  return left
}

/** What starts find on copies of the disk as the power leaves it at every system call of `during`, in many ways each. */
const afterPowerAtEach = (
  fsync: "always" | "interval",
  arrange: (repository: Repository, disk: SimulatedDisk) => Effect.Effect<unknown, unknown>,
  during: (repository: Repository, disk: SimulatedDisk) => Effect.Effect<unknown, unknown>,
  look: (found: ReadonlyArray<VenomTask>) => void
): number => {
  const world = new World()
  const disk = new SimulatedDisk(world, new Chance(1))
  disk.latency = [1, 1]
  const left: Array<ReadonlyMap<string, Uint8Array>> = []
  live(world, disk, fsync, (repository) =>
    Effect.gen(function* () {
      yield* arrange(repository, disk)
      disk.onOperation = ({ mutates }) => {
        if (!mutates) return
        for (let way = 0; way < 60; way++) {
          left.push(disk.leftByPowerFailure(directory, new Chance(`${left.length}`)))
        }
      }
      yield* during(repository, disk)
      disk.onOperation = () => {}
    })
  )
  for (const files of left) {
    const again = new World()
    const next = new SimulatedDisk(again, new Chance(1))
    next.putDirectory(directory)
    for (const [name, content] of files) next.put(`${directory}/${name}`, content)
    look(live(again, next, fsync, () => Effect.void))
  }
  return left.length
}

describe("what is in doubt", { timeout: 60_000 }, () => {
  it("a batch cut off on a full disk is gone for good once tasks are taken again", () => {
    let isWhole = false
    const crashes = afterPowerAtEach(
      "always",
      (repository, disk) =>
        Effect.gen(function* () {
          yield* repository.insert([submitted(1)])
          yield* Effect.sleep("1 second")
          disk.capacity = disk.used + 700
          // one batch, of which the first record fits
          const refused = [2, 3].map((n) => Effect.flip(repository.insert([submitted(n)])))
          yield* Effect.all(refused, { concurrency: "unbounded" })
          disk.capacity = Number.POSITIVE_INFINITY
          yield* Effect.sleep("5 seconds")
          isWhole = (yield* repository.health)._tag === "Writable"
        }),
      (repository) => repository.insert([submitted(4)]),
      (found) => {
        const contents = found.map(({ content }) => content)
        expect(contents).toContain("task 1")
        expect(contents).not.toContain("task 2")
      }
    )
    expect([isWhole, crashes > 10]).toEqual([true, true])
  })

  it("what a late sync failed to write is in the dump that follows, once", () => {
    let seen = 0
    const crashes = afterPowerAtEach(
      "interval",
      (repository, disk) =>
        Effect.gen(function* () {
          yield* repository.insert([submitted(1)])
          yield* Effect.sleep("1 second")
          const claimed = yield* repository.claim({ limit: 1, now: 0 })
          disk.troubles = [failingSyncs(1)]
          yield* repository.settle(claimed.map((claimed) => ({ claimed, transition: Lifecycle.complete("done", 1) })))
          yield* Effect.sleep("500 millis")
          disk.troubles = []
        }),
      () => Effect.sleep("5 seconds"),
      ([task]) => {
        if (task === undefined) throw new Error("the task is lost")
        const { attempt, finishedAt, result, status } = task
        if (status === "COMPLETED") seen++
        expect([result, finishedAt]).toEqual(status === "COMPLETED" ? ["done", 1] : [null, null])
        expect(attempt).toBe(status === "PENDING" ? 0 : 1)
      }
    )
    expect(seen).toBeGreaterThan(crashes / 4)
  })
})
