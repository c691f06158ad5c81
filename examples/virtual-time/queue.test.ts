import { assert, it } from "@effect/vitest"
import { Effect, Ref } from "effect"
import { Orchestrator, Schedules, TaskError, type VenomTask } from "venom"
import { layerTest, TestQueue } from "venom/testing"

/** Fails its first five attempts; the sixth sends the letter. */
const run = ({ attempt, content }: VenomTask) =>
  attempt <= 5 ? Effect.fail(TaskError.retryable("the post office is closed")) : Effect.succeed(`sent ${content}`)

it.effect("an hour's delay, five retries and a crash in the middle", () =>
  Effect.gen(function* () {
    const venom = yield* Orchestrator
    const queue = yield* TestQueue
    const { id } = yield* venom.submit({ content: "letter", delay: "1 hour", maxAttempts: 6 })
    yield* queue.advance("59 minutes")
    assert.strictEqual((yield* venom.get(id)).status, "PENDING")
    yield* queue.advance("1 minute")
    assert.strictEqual((yield* venom.get(id)).attempt, 1)
    yield* queue.crash
    const [task] = yield* queue.drain
    assert.deepInclude(task, { status: "COMPLETED", result: "sent letter", attempt: 6 })
  }).pipe(Effect.provide(layerTest({ run })))
)

it.effect("a process that dies while it works: another one does it again", () =>
  Effect.gen(function* () {
    const runs = yield* Ref.make(0)
    const work = Effect.flatMap(
      Ref.updateAndGet(runs, (n) => n + 1),
      (n) => (n === 1 ? Effect.never : Effect.succeed("done"))
    )
    yield* Effect.gen(function* () {
      const venom = yield* Orchestrator
      const queue = yield* TestQueue
      yield* venom.submit({ content: "long work" })
      yield* queue.settle
      yield* queue.crash
      const [task] = yield* queue.drain
      assert.deepStrictEqual(
        task?.attempts.map(({ outcome }) => outcome),
        ["crashed", "completed"]
      )
    }).pipe(Effect.provide(layerTest({ run: () => work })))
  })
)

it.effect("a schedule over a month", () =>
  Effect.gen(function* () {
    const queue = yield* TestQueue
    const schedules = yield* Schedules
    yield* schedules.put("report", { cron: "0 6 * * *", timeZone: "Europe/Berlin", task: { content: "report" } })
    yield* queue.advance("30 days")
    const submitted = yield* queue.submitted
    assert.strictEqual(submitted.length, 30)
    assert.isTrue(submitted.every(({ status }) => status === "COMPLETED"))
    yield* queue.assertSubmitted({ content: "report", result: "printed", attempt: 1 })
  }).pipe(Effect.provide(layerTest({ run: () => Effect.succeed("printed") })))
)
