import { it } from "@effect/vitest"
import { Effect, Layer, References, type Scope } from "effect"
import type { TaskId, VenomTask } from "../../../src/domain/Task.ts"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import { StateRepository } from "../../../src/ports/StateRepository.ts"

/** Makes a repository that holds nothing; each call another one. */
export type MakeRepository = (options: { readonly maxPending?: number }) => Layer.Layer<StateRepository, unknown>

export type Repository = StateRepository["Service"]

type Body = (repository: Repository) => Effect.Effect<unknown, unknown, Scope.Scope>

export const quiet = Layer.succeed(References.MinimumLogLevel, "None")

/** Registers tests, each with a fresh repository; the clock is the real one, as storage is. */
export const testsWith =
  (make: MakeRepository) =>
  (promise: string, body: Body, options: { readonly maxPending?: number } = {}) =>
    it.live(promise, () =>
      Effect.flatMap(StateRepository, body).pipe(
        Effect.scoped,
        Effect.provide(Layer.fresh(make(options)).pipe(Layer.provideMerge(quiet)))
      )
    )
export type Tests = ReturnType<typeof testsWith>

/** Runs all at once; their order is whatever the scheduler makes of it. */
export const together = <A, E, R>(effects: Iterable<Effect.Effect<A, E, R>>) =>
  Effect.all(effects, { concurrency: "unbounded" })

export const read = (repository: Repository, id: TaskId): Effect.Effect<VenomTask, unknown> =>
  Effect.flatMap(repository.get(id), Effect.fromOption)

/** Claims everything that is due at `now`. */
export const claimAll = (repository: Repository, now = 0) => repository.claim({ limit: 100_000, now })

export const completed = (claimed: VenomTask, now = 0) => ({
  claimed,
  transition: Lifecycle.complete(`result of ${claimed.content}`, now)
})

/** Counts how often another fiber has its turn from now on. */
export const turns = Effect.suspend(() => {
  let count = 0
  const turn = Effect.sync(() => void count++)
  return Effect.as(Effect.forkScoped(Effect.forever(Effect.andThen(turn, Effect.yieldNow))), () => count)
})
