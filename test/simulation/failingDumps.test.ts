import { Clock, Context, Effect, Exit, FileSystem, Logger, Option } from "effect"
import { expect, it } from "vitest"
import * as FileStateRepository from "../../src/adapters/file/FileStateRepository.ts"
import * as Lock from "../../src/adapters/file/Lock.ts"
import * as Recovery from "../../src/adapters/file/Recovery.ts"
import * as Room from "../../src/adapters/file/Room.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { submitted } from "../support/tasks.ts"
import { Chance } from "./Chance.ts"
import type * as Faults from "./Faults.ts"
import { inWorld } from "./inWorld.ts"
import { SimulatedDisk } from "./SimulatedDisk.ts"
import { World } from "./World.ts"

/** Runs the repository on a disk where each call takes a millisecond and that tells its room while it has an end. */
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
        Context.add(Room.AskSpace, () =>
          Effect.sync(() =>
            Number.isFinite(disk.capacity)
              ? Option.some({ free: Math.max(0, disk.capacity - disk.used), total: disk.capacity })
              : Option.none()
          )
        ),
        Context.add(Logger.CurrentLoggers, new Set([logger]))
      )
    )
  )
  expect(inWorld(world, work)).toEqual(Exit.void)
  return logged
}

const failingDumps: Faults.Trouble = ({ path, syscall }) =>
  syscall === "open" && path.endsWith("state_dump.json.tmp") ? { code: "EIO" } : undefined

const journals = (disk: SimulatedDisk) =>
  Array.from(disk.files("/data").keys()).filter((name) => name.startsWith("journal"))

it("dumps that fail leave no segments but full ones, and the next one covers what is in the middle of one", () => {
  running({ dumpInterval: "10 millis", journalMaxBytes: 20_000 }, (repository, disk, world) =>
    Effect.gen(function* () {
      disk.troubles = [failingDumps]
      for (let n = 1; n <= 100; n++) {
        yield* repository.insert([submitted(n)])
        yield* Effect.sleep("10 seconds")
      }
      expect(journals(disk).length).toBeLessThan(6)
      disk.troubles = []
      yield* Effect.sleep("20 seconds")
      const files = disk.files("/data")
      expect(new TextDecoder().decode(files.get("state_dump.json")).match(/"content"/g)).toHaveLength(100)
      const stopped = new SimulatedDisk(world, new Chance(1))
      stopped.putDirectory("/data")
      for (const [name, content] of files) stopped.put(`/data/${name}`, content)
      const found = yield* Recovery.read(stopped.fileSystem, "/data")
      expect([found.tasks.size, found.records, found.damage]).toEqual([100, 0, []])
    })
  )
})

it("tasks are refused when the next dump has no room for what is in segments that no dump covers", () => {
  running({ dumpInterval: "10 millis", journalMaxBytes: 20_000 }, (repository, disk) =>
    Effect.gen(function* () {
      const content = "x".repeat(10_000)
      disk.troubles = [failingDumps]
      for (let n = 1; n <= 30; n++) {
        yield* repository.insert([submitted(n, { content })])
        yield* Effect.sleep("10 seconds")
      }
      disk.capacity = disk.used + 200_000
      yield* repository.insert([submitted(31)])
      yield* Effect.sleep("10 seconds")
      const refused = yield* Effect.exit(repository.insert([submitted(32)]))
      expect(Exit.isFailure(refused)).toBe(true)
      disk.capacity = 2_000_000
      disk.troubles = []
      yield* Effect.sleep("20 seconds")
      // room for a second one of this size, not of what there was beside it
      disk.capacity = disk.used + 500_000
      yield* Effect.sleep("2 seconds")
      yield* repository.insert([submitted(32)])
      yield* Effect.sleep("2 seconds")
      yield* repository.insert([submitted(33)])
    })
  )
})

it("a dump that cannot fit is not tried, and made when there is room again or fewer tasks", () => {
  const logged = running({ dumpInterval: "10 millis" }, (repository, disk) =>
    Effect.gen(function* () {
      const tried = { dumps: 0 }
      const fill = Effect.fnUntraced(function* (first: number) {
        for (let n = first; n < first + 20; n++) {
          const task = submitted(n, { content: "x".repeat(10_000) })
          yield* repository.insert([task])
          yield* repository.update(task.id, Lifecycle.cancel(1))
        }
        yield* Effect.sleep("1 minute")
        disk.capacity = disk.used + 100_000
        yield* Effect.sleep("2 seconds")
        tried.dumps = 0
      })
      disk.onOperation = ({ path, syscall }) => {
        if (syscall === "open" && path.endsWith("state_dump.json.tmp")) tried.dumps++
      }
      yield* repository.insert([submitted(100)])
      yield* fill(1)
      yield* repository.update(submitted(100).id, Lifecycle.cancel(1))
      yield* Effect.sleep("10 minutes")
      expect(tried.dumps).toBe(0)
      disk.capacity += 500_000
      yield* Effect.sleep("20 seconds")
      expect(tried.dumps).toBe(1)

      disk.capacity = disk.used + 100_000
      yield* Effect.sleep("2 seconds")
      yield* repository.prune({ now: 0, retention: { COMPLETED: 0, FAILED: 0 }, keep: 15, limit: 2 })
      yield* Effect.sleep("1 minute")
      expect(tried.dumps).toBe(1)
      yield* repository.prune({ now: 0, retention: { COMPLETED: 0, FAILED: 0 }, keep: 0, limit: 15 })
      yield* Effect.sleep("1 minute")
      expect(tried.dumps).toBe(2)
    })
  )
  expect(logged.filter((message) => message.includes("No dump could be written"))).toHaveLength(2)
})
