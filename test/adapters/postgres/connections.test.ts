import { PgClient } from "@effect/sql-pg"
import { assert, layer } from "@effect/vitest"
import { Context, Deferred, type Duration, Effect, Fiber, Layer } from "effect"
import * as Client from "../../../src/adapters/postgres/Client.ts"
import { StateRepository } from "../../../src/ports/StateRepository.ts"
import { submitted } from "../../support/tasks.ts"
import * as Postgres from "../../support/Postgres.ts"
import { repository } from "./databases.ts"

const Url = Context.Service<string>("test/adapters/postgres/connections/Url")
const server = Layer.effect(
  Url,
  Effect.flatMap(Postgres.make({ settings: { fsync: "off" } }), ({ database }) => database)
)

const connected = (options: { readonly silentFor?: Duration.Input }) =>
  Effect.map(Url, (url) => Layer.fresh(Client.layer({ url, silentFor: "1 minute", ...options })))

/** On one connection, within a transaction. */
const inTransaction = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.flatMap(PgClient.PgClient, (sql) => sql.withTransaction(work))

layer(server, { excludeTestServices: true, timeout: "60 seconds" })("Connections", (it) => {
  it.effect("do not compile plans: that takes longer than what is asked", () =>
    Effect.gen(function* () {
      const [row] = yield* Effect.gen(function* () {
        const sql = yield* PgClient.PgClient
        return yield* sql`show jit`
      }).pipe(Effect.provide(yield* connected({})))
      assert.deepStrictEqual(row, { jit: "off" })
    })
  )

  it.effect("that say nothing within a transaction hold up nobody for longer than they may", () =>
    Effect.gen(function* () {
      const claimed = yield* Effect.gen(function* () {
        const tasks = yield* StateRepository
        yield* tasks.insert([submitted(1)])
        const isLocked = yield* Deferred.make<void>()
        const silent = yield* Effect.gen(function* () {
          const sql = yield* PgClient.PgClient
          yield* sql`select 1 from venom.flow for update`
          yield* Deferred.succeed(isLocked, undefined)
          return yield* Effect.never
        }).pipe(inTransaction, Effect.provide(yield* connected({ silentFor: "300 millis" })), Effect.forkChild)
        yield* Deferred.await(isLocked)
        const claimed = yield* tasks.claim({ limit: 1, now: Date.now() })
        yield* Fiber.interrupt(silent)
        return claimed
      }).pipe(Effect.provide(Layer.fresh(repository(yield* Url))))
      assert.lengthOf(claimed, 1)
    })
  )
})
