import { watch } from "node:fs/promises"
import process from "node:process"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, Layer, Logger } from "effect"
import * as Dump from "../../src/adapters/file/Dump.ts"
import * as FileStateRepository from "../../src/adapters/file/FileStateRepository.ts"
import { free } from "../../src/domain/Flow.ts"
import * as RandomBytes from "../../src/host/RandomBytes.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { asked, leave, tell } from "../Parent.ts"
import { content, keyOf } from "../Values.ts"
import { measure } from "./costs.ts"

/** What submit, claim and settle of 64 tasks cost on the state in a directory, told whenever it is asked. */
export interface CostPlan {
  readonly directory: string
  /** The tasks are of so many concurrency keys, of each of which some may run at once; of none where it is 0. */
  readonly keys: number
  readonly warm: number
  /** So many make one answer. */
  readonly turns: number
  readonly answers: number
}

const plan: CostPlan = JSON.parse(process.argv[2] ?? "{}")

const nextDump = async (): Promise<void> => {
  for await (const { filename } of watch(plan.directory)) if (filename === Dump.fileName) return
}

const requestOf = (n: number) => ({
  content: content(n),
  ...(plan.keys > 0 ? { concurrencyKey: keyOf(n % plan.keys) } : {})
})

const program = Effect.gen(function* () {
  const repository = yield* StateRepository
  // the first change of a life is dumped at once, and nothing for an hour then
  const dumped = nextDump()
  if (plan.keys > 0) yield* repository.updateFlow(() => ({ ...free, eachKey: 5 }))
  yield* measure(1, requestOf)
  yield* Effect.promise(() => dumped)
  yield* measure(plan.warm, requestOf)
  yield* Effect.promise(() => tell({ ready: 1 }))
  for (let answers = 0; answers < plan.answers; answers++) {
    yield* Effect.promise(asked)
    const values = yield* measure(plan.turns, requestOf)
    yield* Effect.promise(() => tell(values))
  }
})

const layer = FileStateRepository.layer({
  directory: plan.directory,
  dumpInterval: "1 hour",
  journalMaxBytes: 2 ** 40
}).pipe(Layer.provide(NodeFileSystem.layer), Layer.provideMerge(RandomBytes.layer), Layer.provide(Logger.layer([])))

await Effect.runPromise(Effect.provide(program, layer))
leave()
