import { Clock, Context, Effect, Exit, FileSystem, Layer, Logger } from "effect"
import * as FileStateRepository from "../../src/adapters/file/FileStateRepository.ts"
import * as Lock from "../../src/adapters/file/Lock.ts"
import * as Room from "../../src/adapters/file/Room.ts"
import * as Recovery from "../../src/adapters/file/Recovery.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { TaskId, type VenomTask } from "../../src/domain/Task.ts"
import { type TaskWire, toWire } from "../../src/domain/TaskJson.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { Chance } from "./Chance.ts"
import { inWorld } from "./inWorld.ts"
import { SimulatedDisk } from "./SimulatedDisk.ts"
import { World } from "./World.ts"

/** What stands in a data directory. */
export type Files = ReadonlyMap<string, Uint8Array>

/** Tasks by their ids, as JSON has them. */
export type State = ReadonlyMap<string, TaskWire>

const path = "/data"

export const stateOf = (tasks: Iterable<VenomTask>): State =>
  new Map(Array.from(tasks, (task) => [task.id, toWire(task)]))

const diskWith = (files: Files) => {
  const world = new World()
  const disk = new SimulatedDisk(world, new Chance(1))
  disk.putDirectory(path)
  for (const [name, content] of files) disk.put(`${path}/${name}`, content)
  return { world, disk }
}

const snapshot = (disk: SimulatedDisk): Files =>
  new Map(Array.from(disk.files(path), ([name, content]) => [name, content.slice()]))

/** Runs a step with the repository over these files; the process is killed at its end, or stops in order. */
const withRepository = <A>(
  files: Files,
  step: (repository: StateRepository["Service"]) => Effect.Effect<A, unknown>,
  ending: "kill" | "stop"
) => {
  const { disk, world } = diskWith(files)
  const log: Array<string> = []
  const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
    log.push(`${logLevel} ${Array.isArray(message) ? message.map(String).join(" ") : String(message)}`)
  })
  let atEnd: Files = files
  const program = Effect.gen(function* () {
    const services = yield* Layer.build(FileStateRepository.layer({ directory: path, dumpInterval: "1 hour" }))
    const answer = yield* step(Context.get(services, StateRepository))
    if (ending === "kill") atEnd = snapshot(disk)
    return answer
  }).pipe(
    Effect.scoped,
    Effect.provideService(FileSystem.FileSystem, disk.fileSystem),
    Effect.provideService(Lock.Lock, () => Effect.void),
    Effect.provideService(Room.AskSpace, () => Effect.succeedNone),
    Effect.provideService(Clock.Clock, world.clock),
    Effect.provideService(Logger.CurrentLoggers, new Set([logger]))
  )
  const exit = inWorld(world, program)
  return { exit, log, files: ending === "kill" && Exit.isSuccess(exit) ? atEnd : snapshot(disk) }
}

const listed = (repository: StateRepository["Service"]) =>
  Effect.map(repository.page({}, { limit: Number.MAX_SAFE_INTEGER }), ({ tasks }) => stateOf(tasks))

/** Starts on these files, lists all tasks, and stops. */
export const start = (files: Files) => withRepository(files, listed, "stop")

/** Starts on these files and does some work, until the process is killed: all tasks before it and after it. */
export const goOn = (files: Files) =>
  withRepository(
    files,
    (repository) =>
      Effect.gen(function* () {
        const before = yield* listed(repository)
        yield* work(repository, 2)
        return { before, after: yield* listed(repository) }
      }),
    "kill"
  )

/** Reads these files and changes nothing. */
export const read = (files: Files) => {
  const { disk, world } = diskWith(files)
  return inWorld(world, Recovery.read(disk.fileSystem, path))
}

let ids = 0
const newTask = (content: string): VenomTask => {
  const id = TaskId.make(`019b76da-0000-7000-8000-${String(++ids).padStart(12, "0")}`)
  return Lifecycle.submit({ content }, { id, now: 1_770_000_000_000 + ids, maxAttempts: 3 })
}

/** Submits, claims and settles tasks: three records for most of them. */
const work = (repository: StateRepository["Service"], count: number) =>
  Effect.gen(function* () {
    for (let n = 0; n < count; n++) {
      yield* repository.insert([newTask(`work ${n}\n\u2028 "${"é".repeat(n % 7)}"`)])
      const now = 1_780_000_000_000 + n
      const claimed = yield* repository.claim({ limit: 1, now })
      const transition = n % 3 === 0 ? Lifecycle.fail("error", "no", now) : Lifecycle.complete(`done ${n}`, now)
      if (n % 5 !== 4) yield* repository.settle(claimed.map((task) => ({ claimed: task, transition })))
    }
  })

/** A directory as a killed process leaves it: two dumps, and a journal with records since both. */
export const made = (tasks: number): Files => {
  let files: Files = new Map()
  for (let life = 0; life < 2; life++) files = withRepository(files, (repository) => work(repository, 2), "stop").files
  // the first change makes a dump, which is given the time it takes
  return withRepository(
    files,
    (repository) => Effect.andThen(work(repository, tasks), Effect.sleep("1 second")),
    "kill"
  ).files
}
