import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { StateRepository } from "../../../src/ports/StateRepository.ts"
import { pausing } from "../../ports/repository/flow.ts"
import { quiet, together } from "../../ports/repository/harness.ts"
import * as Postgres from "../../support/Postgres.ts"
import { everything } from "../../support/everything.ts"
import { lasting } from "./databases.ts"

const times = everything ? 1000 : 100

const scope = Scope.makeUnsafe()
let url = ""

beforeAll(
  () =>
    Effect.gen(function* () {
      const postgres = yield* Postgres.make({ settings: { fsync: "off" } })
      url = yield* postgres.database
    }).pipe(Scope.provide(scope), Effect.runPromise),
  60_000
)
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)), 60_000)

/** Two repositories that know nothing of each other, over one database. */
const two = Effect.fnUntraced(function* (name: string) {
  const one = Effect.map(Layer.build(Layer.fresh(lasting(url, name))), (built) => Context.get(built, StateRepository))
  // the tables are made by the first
  const a = yield* one
  return [a, yield* one] as const
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
