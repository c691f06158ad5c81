import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import * as Database from "../../../src/adapters/postgres/Database.ts"

/** Whoever asks it for a connection waits for ever. */
const exhausted = SqlClient.make({
  acquirer: Effect.never,
  driver: "none",
  compiler: PgClient.makeCompiler(),
  spanAttributes: []
}).pipe(Effect.provide(Reactivity.layer))

describe("what is asked of a database", () => {
  // a statement's time is the machine's: inside, the clock is that of the database
  it.live("fails in time where there is no connection to ask it by", () =>
    Effect.gen(function* () {
      const database = Database.make(yield* exhausted)
      const asked = [
        yield* Effect.flip(database.query("select 1", [], "50 millis")),
        yield* Effect.flip(database.transaction(database.query("select 1"), "50 millis"))
      ]
      assert.deepStrictEqual(
        asked.map(({ reason }) => reason),
        Array(2).fill("PostgreSQL: no answer in time")
      )
    })
  )
})
