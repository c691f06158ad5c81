import { assert, describe, it } from "@effect/vitest"
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Fiber, Layer, Queue, Stream } from "effect"
import { free } from "../../../src/domain/Flow.ts"
import { StateRepository } from "../../../src/ports/StateRepository.ts"
import { pausing } from "../../ports/repository/flow.ts"
import { quiet, together } from "../../ports/repository/harness.ts"
import * as Postgres from "../../support/Postgres.ts"
import { idOf, submitted } from "../../support/tasks.ts"
import { everything } from "../../support/everything.ts"
import { lasting, ownServer } from "./databases.ts"

const times = everything ? 1000 : 100

const url = ownServer()

/** Two repositories that know nothing of each other, over one database. */
const two = Effect.fnUntraced(function* (name: string) {
  const one = Effect.map(Layer.build(Layer.fresh(lasting(url(), name))), (built) => Context.get(built, StateRepository))
  // the tables are made by the first
  const a = yield* one
  return [a, yield* one] as const
})

describe("the starts that a rate counts", () => {
  it.live(
    "are kept as far as a rate may count them, and no more",
    () =>
      Effect.gen(function* () {
        const life = Layer.build(Layer.fresh(lasting(url(), "starts")))
        const rate = { limit: 10_000, per: "1 day" } as const
        yield* Effect.scoped(
          Effect.flatMap(life, (built) =>
            Context.get(built, StateRepository).updateFlow(() => ({ ...free, types: { mail: { rate } } }))
          )
        )
        const sql = Context.get(
          yield* Layer.build(Postgres.client(url().replace(/[^/]*$/, "starts"))),
          PgClient.PgClient
        )
        yield* sql`insert into venom.start (type, at) select 'mail', at from generate_series(1, 12345) as g(at)`
        yield* life
        const found = sql<{ n: number; first: number }>`
          select count(*)::float8 as n, min(at)::float8 as first from venom.start where type = 'mail'`
        for (;;) {
          const [row] = yield* found
          if (row?.n === 12_345) continue
          assert.deepStrictEqual(row, { n: 10_000, first: 2346 })
          break
        }
      }).pipe(Effect.scoped, Effect.provide(quiet)),
    60_000
  )
})

describe("a node that another one lets go on", () => {
  it.live("is told that tasks may have become claimable", () =>
    Effect.gen(function* () {
      const [a, b] = yield* two("resumes")
      yield* a.updateFlow((flow) => ({ ...flow, paused: true }))
      const hints = yield* Queue.unbounded<void>()
      yield* Effect.forkScoped(Stream.runForEach(b.wake, () => Queue.offer(hints, undefined)))
      const told = yield* Effect.forkChild(
        Stream.runHead(Stream.filter(b.changes, (changes) => changes.some(({ after }) => after?.id === idOf(1)))),
        { startImmediately: true }
      )
      yield* a.insert([submitted(1)])
      yield* Fiber.join(told)
      // those at what was before
      do yield* Effect.repeat(Effect.yieldNow, { times: 20 })
      while ((yield* Queue.clear(hints)).length > 0)
      yield* a.updateFlow((flow) => ({ ...flow, paused: false }))
      yield* Queue.take(hints)
    }).pipe(Effect.scoped, Effect.provide(quiet))
  )
})

describe("two nodes that change what holds back tasks at once", () => {
  it.live(
    "keep both pauses",
    () =>
      Effect.gen(function* () {
        const [a, b] = yield* two("pauses")
        for (let n = 0; n < times; n++) {
          const here = `here${n}`
          const there = `there${n}`
          yield* together([a.updateFlow(pausing(here)), b.updateFlow(pausing(there))])
          const { types } = yield* a.flow
          assert.includeMembers(Object.keys(types), [here, there])
          yield* a.updateFlow((flow) => ({ ...flow, types: {} }))
        }
      }).pipe(Effect.scoped, Effect.provide(quiet)),
    60_000
  )
})
