import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Result } from "effect"
import * as Transfer from "../../../src/adapters/postgres/Transfer.ts"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import { StateRepository } from "../../../src/ports/StateRepository.ts"
import { quiet } from "../../ports/repository/harness.ts"
import * as Postgres from "../../support/Postgres.ts"
import { submitted } from "../../support/tasks.ts"
import { lasting } from "./databases.ts"

describe("what is put into a database", () => {
  it.live(
    "has begun as often as the tasks say: a rate is not exceeded by the way there",
    () =>
      Effect.gen(function* () {
        const postgres = yield* Postgres.make({ settings: { fsync: "off" } })
        const name = "transferred"
        const url = yield* Postgres.databaseNamed(postgres.port, name)
        const begun = Result.getOrThrow(Lifecycle.claim(1000)(submitted(1, { type: "mail" })))
        const ended = Result.getOrThrow(Lifecycle.complete("sent", 1001)(begun))
        const flow = { paused: false, types: { mail: { rate: { limit: 2, per: "1 hour" } } }, keys: {} }
        yield* Transfer.fill(url, {
          tasks: [ended, submitted(2, { type: "mail" }), submitted(3, { type: "mail" })],
          entries: [{ name: "flow", value: flow, revision: 1, expiresAt: null }]
        })
        const repository = Context.get(yield* Layer.build(lasting(url, name)), StateRepository)
        assert.lengthOf(yield* repository.claim({ limit: 10, now: 2000 }), 1)
        assert.lengthOf(yield* repository.claim({ limit: 10, now: 1000 + 3_600_000 }), 1)
      }).pipe(Effect.scoped, Effect.provide(quiet)),
    60_000
  )
})
