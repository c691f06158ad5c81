import { mkdirSync, writeFileSync } from "node:fs"
import process from "node:process"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, FileSystem, Result, Schema } from "effect"
import * as Dump from "../../src/adapters/file/Dump.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { TaskId, type VenomTask } from "../../src/domain/Task.ts"
import { leave, tell } from "../Parent.ts"
import { content, keyOf } from "../Values.ts"

/** A data directory with so many tasks, written as Venom's own dump: what a long life would have left. */
export interface StatePlan {
  readonly directory: string
  readonly finished: number
  readonly pending: number
  /** Whether the pending ones wait for a year that does not come. */
  readonly far: boolean
  /** So many concurrency keys are spread over all tasks. */
  readonly keys?: number
  /** Where to write the paths of some of the finished ones. */
  readonly pathsFile?: string
}

/** One in a hundred is FAILED; one in ten thousand is of this type. */
export const rareType = "rare"

const plan: StatePlan = JSON.parse(process.argv[2] ?? "{}")
const count = plan.finished + plan.pending
const now = Date.now()
const spread = 24 * 3600 * 1000

/** UUID version 7, ascending with `n`. */
const idOf = (n: number, at: number): TaskId => {
  const time = at.toString(16).padStart(12, "0")
  const order = n.toString(16).padStart(12, "0")
  return Schema.decodeSync(TaskId)(
    `${time.slice(0, 8)}-${time.slice(8)}-7${order.slice(9)}-8${order.slice(6, 9)}-${order}`
  )
}

const after = (task: VenomTask, transition: Lifecycle.Transition): VenomTask => Result.getOrThrow(transition(task))

const task = (n: number): VenomTask => {
  const at = now - spread + Math.floor((n / count) * (spread - 60_000))
  const isPending = n >= plan.finished
  const submitted = Lifecycle.submit(
    {
      content: content(n),
      ...(n % 10_000 === 5000 ? { type: rareType } : {}),
      ...(plan.keys === undefined ? {} : { concurrencyKey: keyOf(n % plan.keys) }),
      ...(isPending && plan.far ? { runAt: Date.parse("2999-01-01T00:00:00.000Z") } : {})
    },
    { id: idOf(n, at), now: at, maxAttempts: 1 }
  )
  if (isPending) return submitted
  const claimed = after(submitted, Lifecycle.claim(at + 1))
  return after(
    claimed,
    n % 100 === 50 ? Lifecycle.fail("error", "it was told to", at + 2) : Lifecycle.complete("done", at + 2)
  )
}

mkdirSync(plan.directory, { recursive: true, mode: 0o700 })
const tasks = Array.from({ length: count }, (_, n) => task(n))
await Effect.runPromise(
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    Dump.write(fs, plan.directory, { sequence: count, tasks, entries: [] }, now)
  ).pipe(Effect.provide(NodeFileSystem.layer))
)
if (plan.pathsFile !== undefined) {
  const some = Array.from(
    { length: Math.min(5000, plan.finished) },
    () => tasks[Math.floor(Math.random() * plan.finished)]
  )
  writeFileSync(plan.pathsFile, some.map((task) => `/api/v1/tasks/${task?.id}`).join("\n"))
}
await tell({ tasks: tasks.length })
leave()
