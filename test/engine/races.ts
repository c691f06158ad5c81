import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Layer, References, Result, type Scope } from "effect"
import { Digest, SecureRandom } from "effect/crypto"
import { createHash } from "node:crypto"
import { isFinished } from "../../src/domain/Task.ts"
import type { TaskFailure } from "../../src/domain/TaskError.ts"
import * as Engine from "../../src/engine/Engine.ts"
import { defaults, EngineSettings } from "../../src/engine/EngineSettings.ts"
import { FlowControl } from "../../src/engine/FlowControl.ts"
import { Orchestrator } from "../../src/engine/Orchestrator.ts"
import { Schedules } from "../../src/engine/Schedules.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { TaskRunner } from "../../src/ports/TaskRunner.ts"
import { everything } from "../support/everything.ts"
import { type Run } from "./engine.ts"

/** A thousand of them: `npm run test:long`. */
export const times = everything ? 1000 : 200
export const range = (count: number) => Array.from({ length: count }, (_, n) => n)

export const turns = (count: number) => Effect.repeat(Effect.yieldNow, { times: count })

/** Looks again and again; storage takes its time. */
export const until = Effect.fnUntraced(function* <A, E>(look: Effect.Effect<A, E>, holds: (found: A) => boolean) {
  for (;;) {
    const found = yield* look
    if (holds(found)) return found
    yield* Effect.yieldNow
  }
})

/** Others have a turn between what is read of an entry and what is made of it, and before a claim. */
const hesitant = Layer.effect(
  StateRepository,
  Effect.map(StateRepository, (repository) => {
    let claims = 0
    return {
      ...repository,
      entry: (name: string) => Effect.tap(repository.entry(name), () => Effect.yieldNow),
      claim: (options: Parameters<typeof repository.claim>[0]) =>
        Effect.andThen(turns(claims++ % 5), repository.claim(options))
    }
  })
)

/** A hundred thousand of them take no time. */
const digest = Layer.mock(Digest.Digest, {
  digestHex: (_, data) => Effect.sync(() => createHash("sha256").update(data).digest("hex"))
})

export interface Node {
  readonly orchestrator: Orchestrator["Service"]
  readonly flow: FlowControl["Service"]
  readonly schedules: Schedules["Service"]
  readonly repository: StateRepository["Service"]
}

/** An engine over a repository, until the scope ends. */
export const node = (
  repository: Layer.Layer<StateRepository, unknown>,
  run: Run,
  concurrency: number
): Effect.Effect<Node, unknown, Scope.Scope> =>
  Engine.layer.pipe(
    Layer.provideMerge(hesitant),
    Layer.provide(repository),
    Layer.provide([
      Layer.succeed(TaskRunner, { run }),
      Layer.succeed(EngineSettings, { ...defaults, concurrency }),
      SecureRandom.layerWebCrypto,
      digest
    ]),
    Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None")),
    Layer.fresh,
    Layer.build,
    Effect.map((services) => ({
      orchestrator: Context.get(services, Orchestrator),
      flow: Context.get(services, FlowControl),
      schedules: Context.get(services, Schedules),
      repository: Context.get(services, StateRepository)
    }))
  )

/** The nodes that share a state in which there is nothing, each call another one; the first is always there. */
export type MakeNodes = (
  run: Run,
  concurrency: number
) => Effect.Effect<readonly [Node, ...ReadonlyArray<Node>], unknown, Scope.Scope>

const nodeOf = ([first, ...others]: Effect.Success<ReturnType<MakeNodes>>, n: number): Node =>
  [first, ...others][n % (others.length + 1)] ?? first

/** What happens at once where a state is shared: each time another node is asked. */
export const races = (name: string, make: MakeNodes, timeout: number): void => {
  describe(`${name}, ${times} times`, () => {
    it.live(
      "of a cancel and a result that come together one wins, and the answer says which",
      () => {
        const begun = new Map<string, Deferred.Deferred<string, TaskFailure>>()
        const run: Run = ({ content }) => begun.get(content)?.pipe(Deferred.await) ?? Effect.never
        return Effect.gen(function* () {
          const nodes = yield* make(run, 64)
          const won = { cancel: 0, result: 0 }
          const race = Effect.fnUntraced(function* (n: number) {
            const end = Deferred.makeUnsafe<string, TaskFailure>()
            begun.set(`${n}`, end)
            const { orchestrator, repository } = nodeOf(nodes, n)
            const { cancel, get } = orchestrator
            const { id } = yield* orchestrator.submit({ content: `${n}` })
            yield* until(get(id), ({ status }) => status === "PROCESSING")
            const [cancelled] = yield* Effect.all(
              [
                Effect.result(Effect.andThen(turns(n % 5), cancel(id))),
                turns((n >> 3) % 7).pipe(
                  Effect.andThen(Effect.repeat(repository.counts, { times: n % 4 })),
                  Effect.andThen(Deferred.succeed(end, "done"))
                )
              ],
              { concurrency: "unbounded" }
            )
            const task = yield* until(get(id), isFinished)
            if (Result.isSuccess(cancelled)) {
              won.cancel++
              assert.deepStrictEqual([task.status, task.failure?.reason, task.result], ["FAILED", "cancelled", null])
            } else {
              won.result++
              assert(cancelled.failure._tag === "IllegalTransition")
              assert.deepStrictEqual(
                [cancelled.failure.status, task.status, task.result],
                ["COMPLETED", "COMPLETED", "done"]
              )
            }
          })
          yield* Effect.forEach(range(times), race, { concurrency: 20 })
          // or it was no race
          assert.isAbove(won.cancel, times / 20)
          assert.isAbove(won.result, times / 20)
        }).pipe(Effect.scoped)
      },
      timeout
    )

    it.live(
      "a hundred equal idempotency keys at once make one task",
      () =>
        Effect.gen(function* () {
          const nodes = yield* make(() => Effect.never, 0)
          for (const n of range(times)) {
            const answers = yield* Effect.all(
              range(100).map((m) => nodeOf(nodes, m).orchestrator.submitOnce(`${n}`, { content: `${n}` })),
              { concurrency: "unbounded" }
            )
            assert.strictEqual(new Set(answers.map(({ task }) => task.id)).size, 1)
            assert.strictEqual(answers.filter(({ replayed }) => !replayed).length, 1)
          }
          assert.strictEqual((yield* nodes[0].repository.counts).PENDING, times)
        }).pipe(Effect.scoped),
      2 * timeout
    )

    it.live(
      "once a pause has returned nothing that it holds back begins, whatever was about to",
      () => {
        const begun = new Map<string, number>()
        const run: Run = ({ type }) =>
          Effect.andThen(
            Effect.sync(() => begun.set(type, (begun.get(type) ?? 0) + 1)),
            Effect.as(turns(2), "done")
          )
        return Effect.gen(function* () {
          const nodes = yield* make(run, 64)
          const atPause: Array<number> = []
          /** Three tasks of a type at once with a pause, of that type or of all. */
          const race = Effect.fnUntraced(function* (n: number, type: string, paused: string | undefined) {
            const { flow, orchestrator, repository } = nodeOf(nodes, n)
            begun.set(type, 0)
            const ofType = Effect.sync(() => begun.get(type) ?? 0)
            const pauseSoon = Effect.gen(function* () {
              yield* until(ofType, (count) => count >= n % 3)
              yield* turns(n % 41)
              yield* flow.pause(paused)
              const held = yield* ofType
              atPause.push(held)
              yield* turns(10)
              yield* Effect.repeat(repository.counts, { times: 5 })
              assert.strictEqual(yield* ofType, held)
            })
            const submits = range(3).map(() => orchestrator.submit({ content: "", type, concurrencyKey: type }))
            yield* Effect.all([...submits, pauseSoon], { concurrency: "unbounded" })
            yield* flow.resume(paused)
            yield* until(repository.page({ type }, { limit: 3 }), ({ tasks }) => tasks.every(isFinished))
          })
          const lanes = 20
          yield* nodes[0].flow.setLimits({ types: {}, keys: {}, eachKey: 1 })
          yield* Effect.forEach(
            range(lanes),
            (lane) => Effect.forEach(range(times / lanes), (n) => race(n, `lane${lane}`, `lane${lane}`)),
            { concurrency: "unbounded" }
          )
          yield* Effect.forEach(range(times / 10), (n) => race(n, "default", undefined))
          // or it was no race
          for (const held of [0, 1, 2]) assert.include(atPause, held)
        }).pipe(Effect.scoped)
      },
      timeout
    )
  })
}
