import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { type Flow, free } from "../../../src/domain/Flow.ts"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import type { Instant } from "../../../src/domain/Task.ts"
import * as Why from "../../../src/domain/Why.ts"
import { StateRepository } from "../../../src/ports/StateRepository.ts"
import { idOf, submitted } from "../../support/tasks.ts"
import { type MakeRepository, quiet, type Repository, testsWith } from "./harness.ts"

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
const Limit = Schema.NullOr(upTo(3))
const Type = Schema.Literals(["mail", "sms"])
const Key = Schema.NullOr(Schema.Literals(["a", "b"]))

const Steps = Schema.Array(
  Schema.Union([
    Schema.Struct({
      _tag: Schema.tag("insert"),
      tasks: Schema.Array(Schema.Struct({ type: Type, key: Key, priority: upTo(1), wait: upTo(60) })).check(
        Schema.isMaxLength(5)
      )
    }),
    Schema.Struct({
      _tag: Schema.tag("flow"),
      paused: upTo(9),
      pausedType: Schema.NullOr(Type),
      whole: Limit,
      ofMail: Limit,
      rate: Schema.NullOr(Schema.Struct({ limit: upTo(3), per: upTo(100) })),
      ofKey: Limit,
      eachKey: Limit
    }),
    Schema.Struct({
      _tag: Schema.tag("claim"),
      elapsed: upTo(40),
      types: Schema.NullOr(Schema.Array(Type).check(Schema.isMaxLength(2)))
    }),
    Schema.Struct({ _tag: Schema.tag("end"), n: upTo(5), retry: Schema.NullOr(upTo(50)) })
  ])
).check(Schema.isMaxLength(30))
type Step = (typeof Steps.Type)[number]

const flowOf = (step: Extract<Step, { readonly _tag: "flow" }>): Flow => ({
  paused: step.paused === 0,
  ...(step.whole === null ? {} : { concurrency: step.whole }),
  types: {
    mail: {
      ...(step.ofMail === null ? {} : { concurrency: step.ofMail }),
      ...(step.rate === null ? {} : { rate: { limit: step.rate.limit + 1, per: step.rate.per + 10 } }),
      ...(step.pausedType === "mail" ? { paused: true } : {})
    },
    ...(step.pausedType === "sms" ? { sms: { paused: true } } : {})
  },
  keys: step.ofKey === null ? {} : { a: { concurrency: step.ofKey } },
  ...(step.eachKey === null ? {} : { eachKey: step.eachKey })
})

type Claim = Parameters<Repository["claim"]>[0]

/** The tasks about which nothing is said. */
const unhindered = Effect.fnUntraced(function* (repository: Repository, now: Instant, types: Claim["types"]) {
  const { tasks } = yield* repository.page({ status: "PENDING" }, { limit: 1000 })
  const flow = yield* repository.flow
  const free: Array<string> = []
  for (const task of tasks) {
    const standing = yield* repository.standing(task.id, now, types)
    const service: ReadonlyArray<string> = []
    const reasons = Why.of(task, { now, flow, standing, types, concurrency: 100, runningHere: 0, service })
    if (reasons.length === 0) free.push(task.id)
  }
  return free
})

export const whyAgainstClaims = (make: MakeRepository, runs: number): void => {
  describe("why", () => {
    testsWith(make)("counts who is ahead: what may be claimed, and what is held back by the same", (repository) =>
      Effect.gen(function* () {
        const types = ["mail", "sms", "mail", "fax", "sms"]
        const tasks = types.map((type, n) => submitted(n, { type, priority: type === "fax" ? 1 : 0 }, 1000))
        yield* repository.insert(tasks)
        const ahead = (n: number, claimed: Claim["types"]) =>
          Effect.map(repository.standing(idOf(n), 2000, claimed), (standing) => standing.ahead)
        assert.strictEqual(yield* ahead(4, undefined), 3)
        assert.strictEqual(yield* ahead(4, new Set(["sms"])), 1)
        // nobody has work for it: nor for the others before it
        assert.strictEqual(yield* ahead(3, new Set(["sms"])), 4)
        yield* repository.updateFlow(() => ({ ...free, types: { mail: { concurrency: 5 } } }))
        assert.strictEqual(yield* ahead(3, new Set(["sms"])), 2)
        assert.strictEqual(yield* ahead(2, new Set(["sms"])), 2)
      })
    )

    it.live.prop(
      "says nothing about exactly the task that is claimed next",
      [Steps],
      ([steps]) =>
        Effect.gen(function* () {
          const repository = yield* StateRepository
          let now = 1000
          let n = 0
          for (const step of steps) {
            switch (step._tag) {
              case "insert":
                yield* repository.insert(
                  step.tasks.map(({ key, priority, type, wait }) =>
                    submitted(
                      n++,
                      { type, priority, runAt: now + wait, ...(key === null ? {} : { concurrencyKey: key }) },
                      now
                    )
                  )
                )
                break
              case "flow":
                yield* repository.updateFlow(() => flowOf(step))
                break
              case "claim": {
                now += step.elapsed
                const types = step.types === null ? undefined : new Set(step.types)
                const free = yield* unhindered(repository, now, types)
                const claimed = yield* repository.claim({ limit: 1, now, types })
                assert.deepStrictEqual(
                  free,
                  claimed.map(({ id }) => id)
                )
                break
              }
              case "end": {
                const { tasks } = yield* repository.page({ status: "PROCESSING" }, { limit: 1000 })
                const claimed = tasks[step.n]
                if (claimed === undefined) break
                const transition =
                  step.retry === null
                    ? Lifecycle.complete("done", now)
                    : Lifecycle.retry("error", "again", now + step.retry, now)
                yield* repository.settle([{ claimed, transition }])
              }
            }
          }
        }).pipe(Effect.provide(Layer.fresh(make({})).pipe(Layer.provideMerge(quiet)))),
      { arbitrary: { runs }, timeout: 60_000 }
    )
  })
}
