import { assert, describe, it } from "@effect/vitest"
import { Array, Context, Duration, Effect, Exit, Layer, Logger, Option, PubSub, Scope, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import * as MemoryStateRepository from "../../../src/adapters/memory/MemoryStateRepository.ts"
import * as CommandTaskRunner from "../../../src/adapters/runners/CommandTaskRunner.ts"
import type { TaskId, VenomTask } from "../../../src/domain/Task.ts"
import * as Engine from "../../../src/engine/Engine.ts"
import { defaults, EngineSettings } from "../../../src/engine/EngineSettings.ts"
import { Orchestrator } from "../../../src/engine/Orchestrator.ts"
import { StateRepository } from "../../../src/ports/StateRepository.ts"
import { runs } from "./attempts.ts"

/** The memory repository, and each task as a change has left it. */
const observed = Effect.gen(function* () {
  const changes = yield* PubSub.unbounded<VenomTask>({ replay: Infinity })
  const repository = Context.get(yield* Layer.build(MemoryStateRepository.layer()), StateRepository)
  const publish = (task: VenomTask) => PubSub.publish(changes, task)
  return {
    repository: StateRepository.of({
      ...repository,
      update: (id, transition) => Effect.tap(repository.update(id, transition), publish),
      settle: (settlements) =>
        Effect.tap(repository.settle(settlements), (settled) =>
          Effect.forEach(Array.getSuccesses(settled), publish, { discard: true })
        )
    }),
    changes: Stream.fromPubSub(changes)
  }
})

/** An engine that runs a script for each task, and tries again at once. */
const start = Effect.fnUntraced(function* (script: string, settings: Partial<EngineSettings> = {}) {
  const { changes, repository } = yield* observed
  const scope = yield* Scope.fork(yield* Effect.scope)
  const engine = yield* Layer.buildWithScope(
    Engine.layer.pipe(
      Layer.provide([
        CommandTaskRunner.layer({ command: ["sh", "-c", script], grace: "100 millis" }),
        Layer.succeed(StateRepository, repository),
        Layer.succeed(EngineSettings, {
          ...defaults,
          backoff: { ...defaults.backoff, base: Duration.zero },
          ...settings
        }),
        SecureRandom.layerWebCrypto
      ]),
      Layer.provide(Logger.layer([]))
    ),
    scope
  )
  const { cancel, submit } = Context.get(engine, Orchestrator)

  const until = (id: TaskId, holds: (task: VenomTask) => boolean) =>
    changes.pipe(
      Stream.filter((task) => task.id === id && holds(task)),
      Stream.runHead,
      Effect.flatMap(Effect.fromOption)
    )
  const finished = (id: TaskId) => until(id, ({ finishedAt }) => finishedAt !== null)
  const stop = Scope.close(scope, Exit.void)
  return { cancel, finished, repository, stop, submit, until }
})

const says = (task: VenomTask) => task.logs.map((line) => line.slice(25))

/** The process id that a script has logged. */
const pidOf = (task: VenomTask) => Number(says(task).find((line) => /^\d+$/.test(line)))

const runsOn = `echo $$ >&2; trap 'echo bye >&2; exit 0' TERM; while :; do sleep 0.02; done`

describe("the engine with programs", { timeout: 30_000 }, () => {
  it.live("completes a task with what its program writes", () =>
    Effect.gen(function* () {
      const { finished, submit } = yield* start("echo counting >&2; wc -w")
      const task = yield* finished((yield* submit({ content: "one two three" })).id)
      assert.deepStrictEqual([task.status, task.result?.trim()], ["COMPLETED", "3"])
      assert.include(says(task), "counting")
    })
  )

  it.live("tries a failing program again until it succeeds", () =>
    Effect.gen(function* () {
      const { finished, submit } = yield* start(
        `test $VENOM_ATTEMPT = 3 && exec cat; echo "no luck in attempt $VENOM_ATTEMPT" >&2; exit 7`
      )
      const task = yield* finished((yield* submit({ content: "third time" })).id)
      assert.deepStrictEqual([task.status, task.result, task.attempt], ["COMPLETED", "third time", 3])
      assert.deepStrictEqual(
        task.attempts.map(({ error, outcome }) => [outcome, error]),
        [
          ["error", "sh ended with exit code 7: no luck in attempt 1"],
          ["error", "sh ended with exit code 7: no luck in attempt 2"],
          ["completed", null]
        ]
      )
    })
  )

  it.live("fails a task when no attempt is left", () =>
    Effect.gen(function* () {
      const { finished, submit } = yield* start("exit 1")
      const task = yield* finished((yield* submit({ content: "", maxAttempts: 2 })).id)
      assert.deepStrictEqual(task.failure, { reason: "error", message: "sh ended with exit code 1" })
      assert.strictEqual(task.attempt, 2)
    })
  )

  it.live("ends the program of a task that is cancelled", () =>
    Effect.gen(function* () {
      const { cancel, submit, until } = yield* start(runsOn)
      const { id } = yield* submit({ content: "" })
      const pid = pidOf(yield* until(id, (task) => pidOf(task) > 0))
      assert.isTrue(runs(pid))
      const task = yield* cancel(id)
      assert.deepStrictEqual([task.status, task.failure?.reason], ["FAILED", "cancelled"])
      assert.isFalse(runs(pid))
    })
  )

  it.live("ends a program whose time is up, and keeps its last words", () =>
    Effect.gen(function* () {
      const { finished, submit } = yield* start(runsOn, { taskTimeout: Duration.seconds(1) })
      const task = yield* finished((yield* submit({ content: "", maxAttempts: 1 })).id)
      assert.strictEqual(task.failure?.reason, "timeout")
      assert.include(says(task), "bye")
      assert.isFalse(runs(pidOf(task)))
    })
  )

  it.live("ends the programs and gives their tasks back when it stops", () =>
    Effect.gen(function* () {
      const { repository, stop, submit, until } = yield* start(runsOn)
      const { id } = yield* submit({ content: "" })
      const pid = pidOf(yield* until(id, (task) => pidOf(task) > 0))
      yield* stop
      assert.isFalse(runs(pid))
      const task = Option.getOrThrow(yield* repository.get(id))
      assert.deepStrictEqual([task.status, task.attempt], ["PENDING", 0])
    })
  )
})
