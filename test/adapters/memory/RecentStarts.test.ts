import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, Schema } from "effect"
import * as MemoryStateRepository from "../../../src/adapters/memory/MemoryStateRepository.ts"
import { RecentStarts } from "../../../src/adapters/memory/RecentStarts.ts"
import { free } from "../../../src/domain/Flow.ts"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import type { VenomTask } from "../../../src/domain/Task.ts"
import { StateRepository } from "../../../src/ports/StateRepository.ts"
import { after, idOf, submitted } from "../../support/tasks.ts"

const range = (count: number, from = 0) => Array.from({ length: count }, (_, n) => n + from)
const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

/** Attempts that began at these times, one after the other. */
const begun = (n: number, starts: ReadonlyArray<number>): VenomTask =>
  starts.reduce(
    (task, at) => after(task, Lifecycle.claim(at), Lifecycle.retry("error", "", at, at)),
    submitted(n, { type: "mail", maxAttempts: 99 })
  )

const startsOf = ({ attempts, id }: VenomTask) => attempts.map(({ startedAt }) => ({ id, at: startedAt }))

describe("RecentStarts", () => {
  it.prop(
    "are the last of a type, within the time of its rate, in whatever order and however often tasks are noted",
    [
      Schema.Array(Schema.Array(upTo(100_000)).check(Schema.isMaxLength(5))).check(Schema.isMaxLength(20)),
      upTo(9),
      upTo(50_000)
    ],
    ([lives, few, per]) => {
      const rate = { limit: few + 1, per: per + 10 }
      const tasks = lives.map((starts, n) => begun(n, starts))
      const recent = new RecentStarts(new Map([["mail", rate]]))
      // so often that the last ones are chosen again and again
      for (const task of tasks) for (const _ of range(250)) recent.note(task)
      const all = tasks.flatMap(startsOf).map(({ at }) => at)
      const expected = all
        .filter((at) => at > Math.max(...all) - rate.per)
        .sort((a, b) => a - b)
        .slice(-rate.limit)
      assert.deepStrictEqual(
        recent.of("mail", rate)?.map(({ at }) => at),
        expected
      )
    }
  )

  it("are none where nothing has begun, or another rate was asked about", () => {
    const rate = { limit: 2, per: "1 hour" } as const
    const recent = new RecentStarts(new Map([["mail", rate]]))
    recent.note(submitted(1, { type: "mail" }))
    recent.note({ ...begun(2, [5]), type: "sms" })
    assert.deepStrictEqual(recent.of("mail", rate), [])
    assert.isUndefined(recent.of("mail", { ...rate, limit: 3 }))
    assert.isUndefined(recent.of("sms", rate))
  })
})

describe("a rate that is new", () => {
  const old = range(20_000, 100).map((n) => after(begun(n, [1000 + n]), Lifecycle.cancel(30_000)))
  // the youngest are looked at first
  const waiting = range(9, 30_000).map((n) => submitted(n, { type: "mail" }))
  const rate = { limit: 3, per: "1 hour" } as const
  const limited = { ...free, types: { mail: { rate } } }
  const hour = 60 * 60 * 1000

  it.effect("counts what has begun, and what begins while that is looked for; others have their turn meanwhile", () =>
    Effect.gen(function* () {
      const repository = yield* StateRepository
      let turns = 0
      const other = yield* Effect.forkChild(
        Effect.forever(
          Effect.andThen(
            Effect.sync(() => turns++),
            Effect.yieldNow
          )
        )
      )
      const set = yield* Effect.forkChild(
        repository.updateFlow(() => limited),
        { startImmediately: true }
      )
      yield* Effect.repeat(Effect.yieldNow, { times: 3 })
      const meanwhile = yield* repository.claim({ limit: 2, now: hour + 50_000 })
      assert.deepStrictEqual(
        meanwhile.map(({ id }) => id),
        [idOf(30_000), idOf(30_001)]
      )
      assert.deepStrictEqual(yield* repository.flow, free)
      yield* Fiber.join(set)
      yield* Fiber.interrupt(other)
      assert.isAbove(turns, 5)
      assert.strictEqual((yield* repository.claim({ limit: 9, now: hour + 60_000 })).length, 1)
      assert.deepStrictEqual(yield* repository.nextDue(), Option.some(2 * hour + 50_000))
    }).pipe(Effect.provide(MemoryStateRepository.layer({ tasks: [...waiting, ...old] })))
  )

  it.effect("lets nothing begin where as many have begun as it says", () =>
    Effect.gen(function* () {
      const repository = yield* StateRepository
      yield* repository.updateFlow(() => limited)
      assert.deepStrictEqual(yield* repository.claim({ limit: 9, now: 40_000 }), [])
      assert.deepStrictEqual(yield* repository.nextDue(), Option.some(1000 + 20_097 + hour))
    }).pipe(Effect.provide(Layer.fresh(MemoryStateRepository.layer({ tasks: [...waiting, ...old] }))))
  )
})
