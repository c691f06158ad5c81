import { Cause, Clock, Context, Effect, Exit, FileSystem, Layer, Logger, Stream } from "effect"
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

/** Notes the positions of all that is told from now on. */
const listen = (repository: Repository, told: Array<number>) =>
  Effect.forkChild(
    Stream.runForEach(repository.changes, (changes) =>
      Effect.sync(() => told.push(...changes.map(({ position }) => position)))
    ),
    { startImmediately: true }
  )

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

  it("a segment that could not be made may turn up, and takes nothing with it that was written elsewhere", () => {
    let isWhole = false
    const crashes = afterPowerAtEach(
      "always",
      (repository, disk) =>
        Effect.gen(function* () {
          // the first change makes a dump, and with it a segment: its header is synced, its name is not
          disk.troubles = [
            ({ path, syscall }) => (syscall === "fsync" && path === directory ? { code: "EIO" } : undefined)
          ]
          yield* repository.insert([submitted(1)])
          yield* Effect.sleep("500 millis")
          disk.troubles = []
          yield* Effect.sleep("5 seconds")
          isWhole = (yield* repository.health)._tag === "Writable"
          yield* repository.insert([submitted(2)])
        }),
      (repository) => repository.insert([submitted(3)]),
      (found) => {
        const contents = found.map(({ content }) => content)
        expect(contents).toContain("task 1")
        expect(contents).toContain("task 2")
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

  for (const fsync of ["always", "interval"] as const) {
    it(`no position is told twice, whatever the power takes of what was told (fsync ${fsync})`, () => {
      for (let seed = 0; seed < 30; seed++) {
        const chance = new Chance(`positions ${seed}`)
        const told: Array<number> = []
        let files: ReadonlyMap<string, Uint8Array> = new Map()
        for (let number = 0; number < 6; number++) {
          const world = new World()
          const disk = new SimulatedDisk(world, new Chance(`${seed} ${number}`))
          disk.putDirectory(directory)
          for (const [name, content] of files) disk.put(`${directory}/${name}`, content)
          live(world, disk, fsync, (repository) =>
            Effect.gen(function* () {
              const begins = yield* repository.position
              expect(begins).toBeGreaterThanOrEqual(told.at(-1) ?? 0)
              if (number === 0) yield* repository.insert(Array.from({ length: 40 }, (_, n) => submitted(n)))
              yield* listen(repository, told)
              for (let times = chance.between(1, 4); times > 0; times--) {
                yield* repository.claim({ limit: chance.between(1, 3), now: 0 })
              }
              yield* Effect.sleep(1)
              files = disk.leftByPowerFailure(directory, chance)
            })
          )
        }
        expect(told).toEqual(Array.from(new Set(told)).sort((a, b) => a - b))
        expect(told.length).toBeGreaterThan(0)
      }
    })
  }

  it("never so much is told and not synced that the next start could not leap over it", () => {
    const world = new World()
    const disk = new SimulatedDisk(world, new Chance(1))
    disk.putDirectory(directory)
    const syncs: Array<number> = []
    live(world, disk, "always", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert(Array.from({ length: 10_000 }, (_, n) => submitted(n)))
        // the dump that a start makes is written
        yield* Effect.sleep("1 second")
        for (let claims = 0; claims < 10; claims++) {
          let count = 0
          disk.onOperation = ({ syscall }) => {
            if (syscall === "fsync") count++
          }
          yield* repository.claim({ limit: 1000, now: 0 })
          // the sync comes after the claim is told to have been written
          yield* Effect.sleep(10)
          syncs.push(count)
        }
        disk.onOperation = () => {}
      })
    )
    expect(syncs).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
  })
})
