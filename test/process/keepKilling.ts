import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Cause, Console, Effect, Exit, Fiber, Random } from "effect"
import { Ledger, load } from "./support/Ledger.ts"
import { launch, serve, type Settings, until } from "./support/Service.ts"

/**
 * `npm run test:kill -- --minutes 10`: kills the real program at random moments, under load, while it starts
 * and while it stops, and holds what it finds afterwards to what it was told before. Ends with 1 at the first
 * broken promise, and keeps the directory.
 */
const { values } = parseArgs({
  options: { minutes: { type: "string", default: "10" }, clients: { type: "string", default: "16" } }
})
const minutes = Number(values.minutes)
const clients = Number(values.clients)

/** Tasks in a directory before a new one is begun: the audits should not become the whole of the work. */
const enough = 5000

const tally = { kills: 0, directories: 0, acknowledged: 0, inDoubt: 0, answers: 0 }
const begun = performance.now()
const elapsed = () => (performance.now() - begun) / 60_000
const number = (value: number) => value.toLocaleString("en")

const oneOf = <const A>(...choices: readonly [A, ...ReadonlyArray<A>]) => Random.choice(choices)

const anySettings = Effect.map(
  Effect.all({
    VENOM_SIMULATED_DURATION: oneOf("0 seconds", "1 millis", "20 millis", "200 millis"),
    VENOM_DUMP_INTERVAL: oneOf("10 millis", "100 millis", "1 second", "1 hour"),
    VENOM_JOURNAL_MAX_BYTES: oneOf("20 kB", "1 MB", "64 MiB"),
    VENOM_FSYNC: oneOf("always", "interval"),
    VENOM_CONCURRENCY: oneOf("1", "64", "500"),
    VENOM_SHUTDOWN_GRACE: oneOf("0 seconds", "100 millis")
  }),
  (settings): Settings => ({ ...settings, VENOM_CRASH_LIMIT: "20" })
)

const millis = (most: number) => Effect.flatMap(Random.nextIntBetween(0, most), Effect.sleep)

const underLoad = Effect.fnUntraced(function* (data: string, settings: Settings, ledger: Ledger) {
  const venom = yield* serve(data, settings)
  ledger.audit(yield* venom.list)
  const before = ledger.answers
  const loading = yield* Effect.forkChild(load(venom, ledger, clients))
  const target = before + (yield* Random.nextIntBetween(0, 2000))
  yield* until(
    "answers",
    Effect.sync(() => ledger.answers),
    (answers) => answers >= target
  )
  if ((yield* Random.next) < 0.2) {
    yield* venom.signal("SIGTERM")
    yield* millis(300)
  }
  yield* venom.kill
  yield* Fiber.join(loading)
}, Effect.scoped)

const whileStarting = Effect.fnUntraced(function* (data: string, settings: Settings) {
  const venom = yield* launch(data, settings)
  yield* millis(1500)
  yield* venom.kill
}, Effect.scoped)

const oneDirectory = Effect.gen(function* () {
  const data = yield* Effect.promise(() => mkdtemp(join(tmpdir(), "venom-kill-")))
  const ledger = new Ledger()
  tally.directories++
  const lives = Effect.gen(function* () {
    while (elapsed() < minutes && ledger.acknowledged.size < enough) {
      const settings = yield* anySettings
      yield* (yield* Random.next) < 0.1 ? whileStarting(data, settings) : underLoad(data, settings, ledger)
      tally.kills++
      yield* Console.log(
        `${elapsed().toFixed(1)} min, kill ${tally.kills}: ${number(ledger.acknowledged.size)} acknowledged, ` +
          `${number(ledger.finals.size)} seen final, ${number(ledger.inDoubt.size)} in doubt`
      )
    }
    const venom = yield* serve(data, { VENOM_SIMULATED_DURATION: "0 seconds", VENOM_CRASH_LIMIT: "20" })
    ledger.audit(yield* venom.settled)
    const { code } = yield* venom.stop
    if (code !== 0) return yield* Effect.die(`the orderly stop ended with ${code}`)
  }).pipe(Effect.scoped)
  yield* Effect.onError(lives, () => Console.error(`A promise is broken; the state is in ${data}`))
  tally.acknowledged += ledger.acknowledged.size
  tally.inDoubt += ledger.inDoubt.size
  tally.answers += ledger.answers
  yield* Effect.promise(() => rm(data, { recursive: true }))
})

const program = Effect.gen(function* () {
  while (elapsed() < minutes) yield* oneDirectory
  yield* Console.log(
    `${number(tally.kills)} kills over ${tally.directories} directories in ${elapsed().toFixed(1)} minutes: ` +
      `${number(tally.acknowledged)} tasks acknowledged, none lost, none changed, none went back; ` +
      `${number(tally.answers)} answers, ${number(tally.inDoubt)} submits without one`
  )
})

const exit = await Effect.runPromiseExit(Effect.tapCause(program, (cause) => Console.error(Cause.pretty(cause))))
if (Exit.isFailure(exit)) process.exitCode = 1
