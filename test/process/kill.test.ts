import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Random } from "effect"
import { Ledger, load } from "./support/Ledger.ts"
import { directory, isOnPostgres, launch, serve, until } from "./support/Service.ts"

const quickly = { VENOM_SIMULATED_DURATION: "20 millis", VENOM_CRASH_LIMIT: "20", VENOM_DUMP_INTERVAL: "50 millis" }

const rows = [
  { what: "as it comes", kills: 10, settings: quickly },
  {
    what: "with a sync now and then, and a small journal",
    kills: 5,
    settings: { ...quickly, VENOM_FSYNC: "interval", VENOM_JOURNAL_MAX_BYTES: "100 kB" }
  }
]

/** A moment at random under load, whatever the machine's pace. */
const someAnswers = Effect.fnUntraced(function* (ledger: Ledger) {
  const enough = ledger.answers + (yield* Random.nextIntBetween(1, 400))
  yield* until(
    "answers under load",
    Effect.sync(() => ledger.answers),
    (answers) => answers >= enough
  )
})

describe("after kill -9 at any moment", { concurrent: true }, () => {
  for (const { kills, settings, what } of rows) {
    it.live.skipIf(isOnPostgres && "VENOM_FSYNC" in settings)(
      `under load, ${kills} times in a row, nothing acknowledged is lost or changed: ${what}`,
      () =>
        Effect.gen(function* () {
          const data = yield* directory
          const ledger = new Ledger()
          for (let kill = 1; kill <= kills; kill++) {
            yield* Effect.scoped(
              Effect.gen(function* () {
                const venom = yield* serve(data, settings)
                ledger.audit(yield* venom.list)
                const clients = yield* Effect.forkChild(load(venom, ledger))
                yield* someAnswers(ledger)
                yield* venom.kill
                yield* Fiber.join(clients)
              })
            )
          }
          const venom = yield* serve(data, settings)
          const tasks = yield* venom.settled
          ledger.audit(tasks)
          assert.isAbove(ledger.acknowledged.size, 100)
          assert.deepStrictEqual(
            tasks.filter(({ status }) => status !== "COMPLETED"),
            []
          )
          assert.strictEqual((yield* venom.stop).code, 0)
        }),
      240_000
    )
  }

  it.live(
    "of a start or of a stop, nothing is lost either",
    () =>
      Effect.gen(function* () {
        const data = yield* directory
        const ledger = new Ledger()
        const settings = { ...quickly, VENOM_SHUTDOWN_GRACE: "100 millis" }
        for (let kill = 1; kill <= 5; kill++) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              const venom = yield* serve(data, settings)
              ledger.audit(yield* venom.list)
              const clients = yield* Effect.forkChild(load(venom, ledger))
              yield* someAnswers(ledger)
              yield* venom.signal("SIGTERM")
              yield* Effect.sleep(yield* Random.nextIntBetween(0, 200))
              yield* venom.kill
              yield* Fiber.join(clients)
            })
          )
          yield* Effect.scoped(
            Effect.gen(function* () {
              const starting = yield* launch(data, settings)
              yield* Effect.sleep(yield* Random.nextIntBetween(100, 1500))
              yield* starting.kill
            })
          )
        }
        const venom = yield* serve(data, settings)
        ledger.audit(yield* venom.settled)
      }),
    240_000
  )
})
