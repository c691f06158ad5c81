import { assert } from "@effect/vitest"
import { Array, Clock, Context, Duration, Effect, Exit, Layer, Logger, References, Scope } from "effect"
import { SecureRandom } from "effect/crypto"
import * as MemoryStateRepository from "../../src/adapters/memory/MemoryStateRepository.ts"
import * as Backoff from "../../src/domain/Backoff.ts"
import type { TaskId, TaskStatus, VenomTask } from "../../src/domain/Task.ts"
import { Dispatcher } from "../../src/engine/Dispatcher.ts"
import * as Engine from "../../src/engine/Engine.ts"
import { defaults, EngineSettings } from "../../src/engine/EngineSettings.ts"
import { Orchestrator } from "../../src/engine/Orchestrator.ts"
import { Pruner } from "../../src/engine/Pruner.ts"
import { Schedules } from "../../src/engine/Schedules.ts"
import { Statistics } from "../../src/engine/Statistics.ts"
import * as Shutdown from "../../src/engine/Shutdown.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { TaskRunner } from "../../src/ports/TaskRunner.ts"

export type Run = TaskRunner["Service"]["run"]
type Repository = StateRepository["Service"]

export interface Options {
  readonly tasks?: ReadonlyArray<VenomTask>
  readonly maxPending?: number
  readonly settings?: Partial<EngineSettings>
  /** In place of the test's clock. */
  readonly clock?: Clock.Clock
  /** Stands between the engine and the repository. */
  readonly wrap?: (repository: Repository) => Repository
  /** The types that there is work for; all without. */
  readonly types?: ReadonlySet<string>
}

export interface TestEngine {
  readonly orchestrator: Orchestrator["Service"]
  readonly dispatcher: Dispatcher["Service"]
  readonly schedules: Schedules["Service"]
  /** Not wrapped: what is in there, whatever the engine is told. */
  readonly repository: Repository
  readonly get: (id: TaskId) => Effect.Effect<VenomTask, unknown>
  /** Waits, without time passing, for a task to get where it is on its way to. */
  readonly reaches: (id: TaskId, status: TaskStatus) => Effect.Effect<VenomTask, unknown>
  /** Every task: what a store would have on its disk if the process died now. */
  readonly tasks: Effect.Effect<ReadonlyArray<VenomTask>, unknown>
  /** How many tasks retention has deleted. */
  readonly pruned: Effect.Effect<number>
  readonly lastHour: Statistics["Service"]["lastHour"]
  /** The orderly stop. */
  readonly stop: Effect.Effect<void>
  /** Every line logged, with its level and annotations. */
  readonly logged: ReadonlyArray<string>
}

/** Gives every fiber its turns, for what must not happen. */
export const quiet = Effect.repeat(Effect.yieldNow, { times: 200 })

/** A whole engine over a memory repository; it ends with `stop`, or with the test. */
export const start = Effect.fnUntraced(function* (run: Run, options: Options = {}) {
  const { wrap = (repository) => repository } = options
  const logged: Array<string> = []
  const logger = Logger.make(({ cause, fiber, logLevel, message }) => {
    const about = JSON.stringify(fiber.getRef(References.CurrentLogAnnotations))
    logged.push(`${logLevel} ${Array.ensure(message).join(": ")} ${about} ${cause.reasons.map(String).join(", ")}`)
  })
  const scope = yield* Effect.scope
  const memory = yield* Layer.buildWithScope(MemoryStateRepository.layer(options), scope)
  const repository = Context.get(memory, StateRepository)
  const engineScope = yield* Scope.fork(scope)
  const services = yield* Layer.buildWithScope(
    Shutdown.layer.pipe(
      Layer.provideMerge(Engine.layer),
      Layer.provide([
        Layer.succeed(StateRepository, wrap(repository)),
        Layer.succeed(TaskRunner, { run, ...(options.types === undefined ? {} : { types: options.types }) }),
        Layer.succeed(EngineSettings, {
          ...defaults,
          backoff: steady,
          shutdownGrace: Duration.zero,
          // nothing goes unless the test is about that: the clock may leap by years
          retention: Duration.infinity,
          retentionCount: Infinity,
          ...options.settings
        }),
        SecureRandom.layerWebCrypto
      ])
    ),
    engineScope
  ).pipe(
    Effect.provide([
      Logger.layer([logger]),
      Layer.succeed(References.MinimumLogLevel, "Debug"),
      options.clock === undefined ? Layer.empty : Layer.succeed(Clock.Clock, options.clock)
    ])
  )

  const get = (id: TaskId) => Effect.flatMap(repository.get(id), Effect.fromOption)
  const engine: TestEngine = {
    orchestrator: Context.get(services, Orchestrator),
    dispatcher: Context.get(services, Dispatcher),
    schedules: Context.get(services, Schedules),
    repository,
    get,
    reaches: (id, status) => eventually(get(id), (found) => found.status === status),
    tasks: Effect.map(repository.page({}, { limit: 1_000_000 }), ({ tasks }) => tasks),
    pruned: Context.get(services, Pruner).pruned,
    lastHour: Context.get(services, Statistics).lastHour,
    stop: Scope.close(engineScope, Exit.void),
    logged
  }
  // whatever is due has begun before the test lets time pass
  yield* quiet
  return engine
})

/** 1 s, 2 s, 4 s …, with nothing left to chance. */
export const steady: Backoff.Backoff = { ...Backoff.standard, jitter: 0 }

export const seconds = Duration.seconds

/** Lets every fiber have its turns until it holds; no time passes. */
export const eventually = Effect.fnUntraced(function* <A, E>(look: Effect.Effect<A, E>, holds: (found: A) => boolean) {
  let found = yield* look
  for (let turns = 0; turns < 5000 && !holds(found); turns++) {
    yield* Effect.yieldNow
    found = yield* look
  }
  assert.isTrue(holds(found), `never came to be; the last was ${JSON.stringify(found)}`)
  return found
})
