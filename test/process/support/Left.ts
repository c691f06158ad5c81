import { join } from "node:path"
import { Effect, Layer } from "effect"
import * as Connected from "../../../src/adapters/postgres/Connected.ts"
import { toJson } from "../../../src/domain/TaskJson.ts"
import * as RandomBytes from "../../../src/host/RandomBytes.ts"
import { StateRepository } from "../../../src/ports/StateRepository.ts"
import { read } from "./Files.ts"
import { databaseOf } from "./Service.ts"
import { dumpOf, type Task, taskIn } from "./Wire.ts"

const inDatabase = (url: string): Effect.Effect<ReadonlyArray<Task>> =>
  Effect.gen(function* () {
    const repository = yield* StateRepository
    const { tasks } = yield* repository.page({}, { limit: 1000 })
    return yield* Effect.forEach(tasks, (task) => taskIn(toJson(task)))
  }).pipe(
    Effect.provide(Layer.fresh(Connected.layer({ url, concurrency: 1 })).pipe(Layer.provide(RandomBytes.layer))),
    Effect.orDie
  )

/** The tasks that a service has left behind: in its dump, or in the database that stands for the directory. */
export const leftIn = (dataDir: string): Effect.Effect<ReadonlyArray<Task>> =>
  Effect.flatMap(databaseOf(dataDir), (url) =>
    url === undefined
      ? Effect.flatMap(read(join(dataDir, "state_dump.json")), (bytes) => dumpOf(bytes.toString()))
      : inDatabase(url)
  )
