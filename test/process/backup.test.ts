import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { join } from "node:path"
import { Ledger, load } from "./support/Ledger.ts"
import { directory, serve, until } from "./support/Service.ts"
import type { Service } from "./support/Service.ts"
import { run } from "./venom.ts"

const busy = { VENOM_SIMULATED_DURATION: "10 millis", VENOM_DUMP_INTERVAL: "10 millis", VENOM_CRASH_LIMIT: "20" }

const answers = (ledger: Ledger, more: number) => {
  const enough = ledger.answers + more
  return until(
    "answers under load",
    Effect.sync(() => ledger.answers),
    (answers) => answers >= enough
  )
}

const ended = (args: ReadonlyArray<string>) =>
  Effect.map(
    Effect.promise(() => run(args)),
    ({ code, stderr }) => assert.strictEqual(code, 0, stderr)
  )

/** What a client knew before the export began is in it, as it was or further on. */
const holds = Effect.fnUntraced(function* (file: string, known: Pick<Ledger, "acknowledged" | "finals">) {
  const other = join(yield* directory, "data")
  yield* ended(["import", file, "--data-dir", other])
  const restored = yield* serve(other, { VENOM_SIMULATED_DURATION: "1 hour" })
  const tasks = new Map((yield* restored.list).map((task) => [task.id, task]))
  for (const [id, content] of known.acknowledged) assert.strictEqual(tasks.get(id)?.content, content, id)
  for (const [id, { task }] of known.finals) assert.deepStrictEqual(tasks.get(id), task)
  yield* restored.stop
  return tasks.size
})

describe("venom export of a service under load", { concurrent: true }, () => {
  for (const isKilled of [false, true]) {
    const what = isKilled ? "that is killed meanwhile" : "that goes on"
    it.live(
      `${what} has every task that was acknowledged before it began, whole`,
      () =>
        Effect.gen(function* () {
          const data = yield* directory
          const files = yield* directory
          const ledger = new Ledger()
          let service: Service | undefined
          let clients: Fiber.Fiber<void> | undefined
          for (let round = 1; round <= 3; round++) {
            const venom = service ?? (yield* serve(data, busy))
            clients ??= yield* Effect.forkChild(load(venom, ledger))
            yield* answers(ledger, 300)
            const known = { acknowledged: new Map(ledger.acknowledged), finals: new Map(ledger.finals) }
            const file = join(files, `${round}.export`)
            const exporting = yield* Effect.forkChild(ended(["export", file, "--data-dir", data]), {
              startImmediately: true
            })
            service = isKilled ? undefined : venom
            if (isKilled) {
              yield* answers(ledger, 30 * round)
              yield* venom.kill
              yield* Fiber.join(clients)
              clients = undefined
            }
            yield* Fiber.join(exporting)
            assert.isAtLeast(yield* holds(file, known), known.acknowledged.size)
          }
          assert.isAbove(ledger.acknowledged.size, 100)
          if (clients !== undefined) yield* Fiber.interrupt(clients)
        }),
      240_000
    )
  }
})
