/**
 * A whole queue for tests: in memory, under virtual time. Nobody waits for a retry, a delay or a schedule, and the
 * process can die whenever the test says so.
 */

import {
  Clock,
  Context,
  Duration,
  Effect,
  Equal,
  Exit,
  Layer,
  Option,
  References,
  Result,
  Scope,
  Schema,
  Struct
} from "effect"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import * as MemoryStateRepository from "./adapters/memory/MemoryStateRepository.ts"
import { isFinished, type VenomTask } from "./domain/Task.ts"
import * as Engine from "./engine/Engine.ts"
import { defaults, EngineSettings } from "./engine/EngineSettings.ts"
import { Orchestrator } from "./engine/Orchestrator.ts"
import { Schedules } from "./engine/Schedules.ts"
import { StateRepository } from "./ports/StateRepository.ts"
import { StorageError } from "./ports/StorageError.ts"
import { TaskClient } from "./ports/TaskClient.ts"
import { TaskRunner } from "./ports/TaskRunner.ts"

/** So many jumps led to no end: something makes work without end, a schedule perhaps. */
export class NeverIdle extends Schema.TaggedError<NeverIdle>()("NeverIdle", { jumps: Schema.Int }) {
  override get message() {
    return `After ${this.jumps} jumps there are still unfinished tasks`
  }
}

/** What a task must be like: every field that is given. */
export type Wanted = Partial<VenomTask>

/** No task is like this. */
export class NotSubmitted extends Schema.TaggedError<NotSubmitted>()("NotSubmitted", {
  wanted: Schema.Unknown,
  submitted: Schema.Array(Schema.Unknown)
}) {
  override get message() {
    const all = this.submitted.map((task) => `\n  ${JSON.stringify(task)}`).join("")
    return `No task was submitted that is like ${JSON.stringify(this.wanted)}. There are ${this.submitted.length}:${all}`
  }
}

export type Options = Work & {
  /** As by default, but that finished tasks are kept for ever. */
  readonly settings?: Partial<EngineSettings>
}

type Work =
  /** Does the work of every task. */
  | { readonly run: TaskRunner["Service"]["run"] }
  /** Made anew for each process that begins: `TaskHandlers.layer` with its handlers. */
  | { readonly runner: Layer.Layer<TaskRunner> }

/** What a test may do with the queue besides what an application may. */
export class TestQueue extends Context.Service<
  TestQueue,
  {
    /** Every task there is, in the order of their submits. */
    readonly submitted: Effect.Effect<ReadonlyArray<VenomTask>, StorageError>
    /** The newest task that is like this; fails with what there is instead, in the fields that were asked for. */
    readonly assertSubmitted: (wanted: Wanted) => Effect.Effect<VenomTask, StorageError | NotSubmitted>
    /** Lets everything happen that can without time passing. */
    readonly settle: Effect.Effect<void>
    /** Lets so much time pass, and everything happen meanwhile. */
    readonly advance: (time: Duration.Input) => Effect.Effect<void>
    /** Goes to the next time at which a task is due or a schedule runs, and tells it; none where nothing waits. */
    readonly jump: Effect.Effect<Option.Option<number>, StorageError>
    /** Goes from one due time to the next until every task is finished, and gives them all. */
    readonly drain: Effect.Effect<ReadonlyArray<VenomTask>, StorageError | NeverIdle>
    /** The process dies this very moment, and another one starts with what was durable. */
    readonly crash: Effect.Effect<void>
  }
>()("venom/testing/TestQueue") {}

/** A running attempt that waits for nothing we know of gets so much time in one step of `drain`. */
const patience = "1 second"
const mostJumps = 100_000

/** The queue, its use cases and its helpers. The clock is the test's own where there is one, as in `it.effect`. */
export const layerTest = (options: Options): Layer.Layer<TestQueue | Orchestrator | Schedules | TaskClient> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const storage = Context.get(yield* Layer.buildWithScope(MemoryStateRepository.layer(), scope), StateRepository)
      let life = yield* begin(storage, options, scope)

      const tasks = Effect.map(storage.page({}, { limit: Number.MAX_SAFE_INTEGER }), ({ tasks }) => tasks.toReversed())

      const assertSubmitted = Effect.fnUntraced(function* (wanted: Wanted) {
        const all = yield* tasks
        const fields = Struct.keys(wanted)
        const found = all.findLast((task) => fields.every((field) => Equal.equals(task[field], wanted[field])))
        return found ?? (yield* new NotSubmitted({ wanted, submitted: all.map(Struct.pick(fields)) }))
      })

      const settle = Effect.gen(function* () {
        let quiet = 0
        for (let seen = yield* Effect.orElseSucceed(tasks, () => []); quiet < quietTurns; quiet++) {
          yield* Effect.yieldNow
          const now = yield* Effect.orElseSucceed(tasks, () => [])
          if (now.length !== seen.length || now.some((task, at) => task !== seen[at])) quiet = 0
          seen = now
        }
      })

      const next = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const due = Option.filter(
          yield* storage.nextDue(Context.get(life.services, TaskRunner).types),
          (due) => due > now
        )
        const runs = (yield* Context.get(life.services, Schedules).list).flatMap(({ nextRun }) => nextRun ?? [])
        const all = [...Option.toArray(due), ...runs]
        return all.length === 0 ? Option.none<number>() : Option.some(Math.min(...all))
      })

      const advance = (time: Duration.Input) => Effect.andThen(TestClock.adjust(time), settle)

      const jump = Effect.gen(function* () {
        yield* settle
        const to = yield* next
        if (Option.isSome(to)) yield* advance(Math.max(0, to.value - (yield* Clock.currentTimeMillis)))
        return to
      })

      const drain = Effect.gen(function* () {
        for (let jumps = 0; jumps < mostJumps; jumps++) {
          yield* settle
          const all = yield* tasks
          if (all.every(isFinished)) return all
          if (all.some(({ status }) => status === "PROCESSING")) yield* advance(patience)
          else yield* jump
        }
        return yield* new NeverIdle({ jumps: mostJumps })
      })

      const crash = Effect.gen(function* () {
        life.die()
        yield* Scope.close(life.scope, Exit.void)
        life = yield* begin(storage, options, scope)
        yield* settle
      })

      yield* settle
      return Context.make(TestQueue, { submitted: tasks, assertSubmitted, settle, advance, jump, drain, crash }).pipe(
        Context.add(
          Orchestrator,
          ofTheLiving(() => Context.get(life.services, Orchestrator))
        ),
        Context.add(
          Schedules,
          ofTheLiving(() => Context.get(life.services, Schedules))
        ),
        Context.add(
          TaskClient,
          ofTheLiving(() => Context.get(life.services, TaskClient))
        )
      )
    })
  )

/** Turns of every fiber without a change, after which nothing more will happen by itself. */
const quietTurns = 100

/** Nothing is deleted while a test looks at it, and nobody looks at a clock in between. */
const unhurried = {
  retention: Duration.infinity,
  retentionCount: Number.POSITIVE_INFINITY,
  longestSleep: Duration.infinity
}

/** One process: an engine over the storage, until it is told to die. */
const begin = Effect.fnUntraced(function* (storage: StateRepository["Service"], options: Options, scope: Scope.Scope) {
  let isDead = false
  const unlessDead = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.suspend((): Effect.Effect<A, E | StorageError, R> =>
      isDead ? Effect.fail(new StorageError({ reason: "the process is dead" })) : effect
    )
  const engineScope = yield* Scope.fork(scope)
  const services = yield* Layer.buildWithScope(
    Engine.layer.pipe(
      Layer.provideMerge(
        "run" in options ? Layer.succeed(TaskRunner, { run: options.run }) : Layer.fresh(options.runner)
      ),
      Layer.provide([
        Layer.succeed(StateRepository, {
          ...storage,
          insert: (tasks, put) => unlessDead(storage.insert(tasks, put)),
          update: (id, transition) => unlessDead(storage.update(id, transition)),
          reopen: (id, transition) => unlessDead(storage.reopen(id, transition)),
          claim: (claim) => unlessDead(storage.claim(claim)),
          settle: (settlements) => unlessDead(storage.settle(settlements)),
          put: (put) => unlessDead(storage.put(put)),
          // whoever is PROCESSING when a process begins was left by the one before
          rescue: (transition) =>
            Effect.gen(function* () {
              const { tasks } = yield* storage.page({ status: "PROCESSING" }, { limit: Number.MAX_SAFE_INTEGER })
              const rescued = yield* storage.settle(tasks.map((claimed) => ({ claimed, transition })))
              return rescued.flatMap((result) => (Result.isSuccess(result) ? [result.success] : []))
            })
        }),
        Layer.succeed(EngineSettings, { ...defaults, ...unhurried, ...options.settings }),
        SecureRandom.layerWebCrypto
      ])
    ),
    engineScope
  ).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
  const die = () => {
    isDead = true
  }
  return { services, scope: engineScope, die }
})

/** The service of the process that lives now: who holds it need not know of crashes. */
const ofTheLiving = <S extends object>(service: () => S): S =>
  new Proxy(service(), { get: (_, name) => Reflect.get(service(), name) })
