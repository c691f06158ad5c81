import { Cause, Clock, Context, Effect, Exit, FileSystem, Layer, Logger, Option, Stream } from "effect"
import { describe, expect, it } from "vitest"
import * as FileStateRepository from "../../src/adapters/file/FileStateRepository.ts"
import * as Lock from "../../src/adapters/file/Lock.ts"
import * as Room from "../../src/adapters/file/Room.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { idOf, submitted } from "../support/tasks.ts"
import { Chance } from "./Chance.ts"
import { failingSyncs } from "./Faults.ts"
import { inWorld } from "./inWorld.ts"
import { SimulatedDisk } from "./SimulatedDisk.ts"
import { World } from "./World.ts"

/** Every call takes so many milliseconds. */
const latency = 10

/** The repository over a disk that is slow, with no dump in the way; what its journal is asked to do is listed. */
const withRepository = (
  use: (
    repository: StateRepository["Service"],
    disk: SimulatedDisk,
    calls: Array<string>
  ) => Effect.Effect<unknown, unknown>
) => {
  const world = new World()
  const disk = new SimulatedDisk(world, new Chance(1))
  disk.latency = [latency, latency]
  const calls: Array<string> = []
  const exit = inWorld(
    world,
    Layer.build(FileStateRepository.layer({ directory: "/data", dumpInterval: "1 hour" })).pipe(
      Effect.flatMap((built) => {
        disk.onOperation = ({ path, syscall }) => {
          if (path.endsWith(".jsonl") && syscall !== "fstat") calls.push(syscall)
        }
        return use(Context.get(built, StateRepository), disk, calls)
      }),
      Effect.scoped,
      Effect.provideContext(
        Context.make(FileSystem.FileSystem, disk.fileSystem).pipe(
          Context.add(Clock.Clock, world.clock),
          Context.add(Lock.Lock, () => Effect.void),
          Context.add(Room.AskSpace, () => Effect.succeedNone),
          Context.add(Logger.CurrentLoggers, new Set())
        )
      )
    )
  )
  if (Exit.isFailure(exit)) throw new Error(Cause.pretty(exit.cause))
}

/** It comes at once, whatever the interval is, and with a new segment. */
const firstDump = Effect.sleep("1 second")

it("all that comes while one sync is under way shares the next", () => {
  withRepository((repository, _, calls) =>
    Effect.gen(function* () {
      const insert = (n: number) => Effect.forkChild(repository.insert([submitted(n)]))
      yield* repository.insert([submitted(101)])
      yield* firstDump
      calls.length = 0
      yield* insert(0)
      // its write is over, its sync is not
      yield* Effect.sleep(1.5 * latency)
      expect(calls).toEqual(["write", "fsync"])
      for (let n = 1; n <= 100; n++) yield* insert(n)
      yield* Effect.sleep(4 * latency)
      expect(calls).toEqual(["write", "fsync", "write", "fsync"])
      expect((yield* repository.counts).PENDING).toBe(102)
    })
  )
})

describe("before its sync", () => {
  /** All that anyone could see of two tasks, and has been told. */
  const look = (repository: StateRepository["Service"], told: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const { tasks } = yield* repository.page({}, { limit: 9 })
      const got = yield* Effect.forEach([idOf(1), idOf(2)], (id) => repository.get(id))
      return {
        listed: tasks.map(({ id, status }) => `${id === idOf(1) ? 1 : 2} ${status}`),
        got: got.map((task) => Option.getOrUndefined(task)?.status),
        counts: yield* repository.counts,
        told: [...told]
      }
    })

  for (const fails of [false, true]) {
    it(`nothing of a new task or a result is read, listed, counted or told${fails ? ", and a failed one takes it back" : ""}`, () => {
      withRepository((repository, disk) =>
        Effect.gen(function* () {
          const told: Array<string> = []
          const tell = Stream.runForEach(repository.changes, (changes) =>
            Effect.sync(() => {
              for (const { after } of changes) told.push(`${after?.status}`)
            })
          )
          yield* Effect.forkChild(tell)
          yield* repository.insert([submitted(1)])
          const [claimed] = yield* repository.claim({ limit: 1, now: 0 })
          if (claimed === undefined) throw new Error("there is nothing to claim")
          yield* firstDump
          const before = yield* look(repository, told)
          expect(before.listed).toEqual(["1 PROCESSING"])

          if (fails) disk.troubles = [failingSyncs(1)]
          const answers: Array<string> = []
          const ask = <A, E>(asked: Effect.Effect<A, E>) =>
            Effect.forkChild(
              Effect.map(Effect.exit(asked), ({ _tag }) => {
                answers.push(_tag)
              })
            )
          yield* ask(repository.insert([submitted(2)]))
          yield* ask(repository.settle([{ claimed, transition: Lifecycle.complete("done", 1) }]))
          // written, and not synced
          yield* Effect.sleep(1.9 * latency)
          expect(yield* look(repository, told)).toEqual(before)
          expect(answers).toEqual([])

          yield* Effect.sleep(3 * latency)
          const after = yield* look(repository, told)
          expect(answers).toEqual(fails ? ["Failure", "Failure"] : ["Success", "Success"])
          if (fails) expect(after).toEqual(before)
          else {
            expect(after.listed).toEqual(["2 PENDING", "1 COMPLETED"])
            expect(after.told).toEqual([...before.told, "PENDING", "COMPLETED"])
          }
        })
      )
    })
  }
})

it("a task whose end could not be stored goes on to have its unique key", () => {
  withRepository((repository, disk) =>
    Effect.gen(function* () {
      const withKey = (n: number) => submitted(n, { uniqueKey: "one" })
      yield* repository.insert([withKey(1)])
      yield* firstDump
      disk.troubles = [failingSyncs(1)]
      yield* Effect.flip(repository.update(idOf(1), Lifecycle.cancel(1)))
      disk.troubles = []
      yield* Effect.sleep("5 seconds")
      const [holder] = yield* repository.insert([withKey(2)])
      expect(holder?.id).toBe(idOf(1))
      expect(yield* repository.counts).toMatchObject({ PENDING: 1, FAILED: 0 })
    })
  )
})
