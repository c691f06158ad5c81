import { watch } from "node:fs/promises"
import process from "node:process"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, Layer, Logger, Result, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import * as Dump from "../../src/adapters/file/Dump.ts"
import * as FileStateRepository from "../../src/adapters/file/FileStateRepository.ts"
import { free } from "../../src/domain/Flow.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { TaskId } from "../../src/domain/Task.ts"
import * as RandomBytes from "../../src/host/RandomBytes.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { asked, leave, tell } from "../Parent.ts"
import { content, keyOf, median } from "../Values.ts"

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

const batch = 64
const plan: CostPlan = JSON.parse(process.argv[2] ?? "{}")

const nextDump = async (): Promise<void> => {
  for await (const { filename } of watch(plan.directory)) if (filename === Dump.fileName) return
}

let submitted = 0

const requestOf = (n: number) => ({
  content: content(n),
  ...(plan.keys > 0 ? { concurrencyKey: keyOf(n % plan.keys) } : {})
})

const measure = Effect.fnUntraced(function* (turns: number) {
  const repository = yield* StateRepository
  const random = yield* SecureRandom.SecureRandom
  const took = { submit: new Array<number>(), claim: new Array<number>(), settle: new Array<number>() }
  for (let turn = 0; turn < turns; turn++) {
    const now = Date.now()
    const tasks = yield* Effect.forEach(Array.from({ length: batch }), () =>
      Effect.map(random.uuidV7(), (uuid) =>
        Lifecycle.submit(requestOf(submitted++), { id: Schema.decodeSync(TaskId)(uuid), now, maxAttempts: 5 })
      )
    )
    const start = performance.now()
    yield* repository.insert(tasks)
    const inserted = performance.now()
    const claimed = yield* repository.claim({ limit: batch, now })
    const claiming = performance.now()
    const settled = yield* repository.settle(
      claimed.map((claimed) => ({ claimed, transition: Lifecycle.complete("done", now) }))
    )
    const settling = performance.now()
    if (settled.length !== batch || settled.some(Result.isFailure))
      return yield* Effect.die("not every claim was settled")
    took.submit.push(inserted - start)
    took.claim.push(claiming - inserted)
    took.settle.push(settling - claiming)
  }
  return { submit: median(took.submit), claim: median(took.claim), settle: median(took.settle) }
})

const program = Effect.gen(function* () {
  const repository = yield* StateRepository
  // the first change of a life is dumped at once, and nothing for an hour then
  const dumped = nextDump()
  if (plan.keys > 0) yield* repository.updateFlow(() => ({ ...free, eachKey: 5 }))
  yield* measure(1)
  yield* Effect.promise(() => dumped)
  yield* measure(plan.warm)
  yield* Effect.promise(() => tell({ ready: 1 }))
  for (let answers = 0; answers < plan.answers; answers++) {
    yield* Effect.promise(asked)
    const values = yield* measure(plan.turns)
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
