import { watch } from "node:fs/promises"
import process from "node:process"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, Layer, Logger, Result, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import * as Dump from "../../src/adapters/file/Dump.ts"
import * as FileStateRepository from "../../src/adapters/file/FileStateRepository.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { TaskId } from "../../src/domain/Task.ts"
import * as RandomBytes from "../../src/host/RandomBytes.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { leave, tell } from "../Parent.ts"
import { content, median } from "../Values.ts"

/** What submit, claim and settle of 64 tasks cost on the state in a directory. */
export interface CostPlan {
  readonly directory: string
  readonly warm: number
  readonly turns: number
}

const batch = 64
const plan: CostPlan = JSON.parse(process.argv[2] ?? "{}")

const nextDump = async (): Promise<void> => {
  for await (const { filename } of watch(plan.directory)) if (filename === Dump.fileName) return
}

const program = Effect.gen(function* () {
  const repository = yield* StateRepository
  const random = yield* SecureRandom.SecureRandom
  const dumped = nextDump()
  const took = { submit: new Array<number>(), claim: new Array<number>(), settle: new Array<number>() }
  for (let turn = 0; turn < plan.warm + plan.turns; turn++) {
    const now = Date.now()
    const tasks = yield* Effect.forEach(Array.from({ length: batch }), (_, n) =>
      Effect.map(random.uuidV7(), (uuid) =>
        Lifecycle.submit({ content: content(n) }, { id: Schema.decodeSync(TaskId)(uuid), now, maxAttempts: 5 })
      )
    )
    const start = performance.now()
    yield* repository.insert(tasks)
    const submitted = performance.now()
    const claimed = yield* repository.claim({ limit: batch, now })
    const claiming = performance.now()
    const settled = yield* repository.settle(
      claimed.map((claimed) => ({ claimed, transition: Lifecycle.complete("done", now) }))
    )
    const settling = performance.now()
    if (settled.length !== batch || settled.some(Result.isFailure))
      return yield* Effect.die("not every claim was settled")
    // the first change of a life is dumped at once, and nothing for an hour then
    if (turn === 0) yield* Effect.promise(() => dumped)
    if (turn < plan.warm) continue
    took.submit.push(submitted - start)
    took.claim.push(claiming - submitted)
    took.settle.push(settling - claiming)
  }
  return { submit: median(took.submit), claim: median(took.claim), settle: median(took.settle) }
})

const layer = FileStateRepository.layer({
  directory: plan.directory,
  dumpInterval: "1 hour",
  journalMaxBytes: 2 ** 40
}).pipe(Layer.provide(NodeFileSystem.layer), Layer.provideMerge(RandomBytes.layer), Layer.provide(Logger.layer([])))

await tell(await Effect.runPromise(Effect.provide(program, layer)))
leave()
