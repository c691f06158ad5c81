import { PgClient } from "@effect/sql-pg"
import { assert, layer } from "@effect/vitest"
import { Context, Deferred, type Duration, Effect, Fiber, Layer } from "effect"
import * as Client from "../../../src/adapters/postgres/Client.ts"
import * as Migrations from "../../../src/adapters/postgres/Migrations.ts"
import * as PostgresStateRepository from "../../../src/adapters/postgres/PostgresStateRepository.ts"
import * as RandomBytes from "../../../src/host/RandomBytes.ts"
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

  it.effect(
    "that are all taken do not cost a node its lease",
    () =>
      Effect.gen(function* () {
        const url = yield* Url
        const lease = 600
        const looking = Context.get(yield* Layer.build(yield* connected({})), PgClient.PgClient)
        const alive = looking<{ readonly id: string; readonly until: number }>`
        select id, extract(epoch from expires_at)::float8 * 1000 as until from venom.node
        where expires_at > clock_timestamp()`
        yield* Effect.gen(function* () {
          const sql = yield* PgClient.PgClient
          yield* Migrations.run(sql)
          yield* PostgresStateRepository.make({ lease })
          for (let n = 0; n < 3; n++) yield* Effect.forkScoped(Effect.andThen(sql.reserve, Effect.never))
          const [first] = yield* alive
          assert(first !== undefined)
          const [last] = yield* Effect.repeat(alive, {
            until: ([now]) => now === undefined || now.until > first.until + 3 * lease
          })
          assert.strictEqual(last?.id, first.id)
        }).pipe(Effect.scoped, Effect.provide([Layer.fresh(Client.layer({ url, connections: 2 })), RandomBytes.layer]))
      }).pipe(Effect.scoped),
    30_000
  )

  it.effect(
    "that may only read are told of as such, until they may write again",
    () =>
      Effect.gen(function* () {
        const { database } = yield* Postgres.make({ settings: { fsync: "off" } })
        const url = yield* database
        const name = url.replace(/.*\//, "")
        const looking = Context.get(
          yield* Layer.build(Layer.fresh(Client.layer({ url: url.replace(name, "postgres") }))),
          PgClient.PgClient
        )
        const readOnly = Effect.fnUntraced(function* (isOn: boolean) {
          yield* looking.unsafe(`alter database ${name} set default_transaction_read_only = ${isOn ? "on" : "off"}`)
          yield* looking`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`
        })
        const tasks = Context.get(
          yield* Layer.build(Layer.fresh(repository(url, { lease: "1 second" }))),
          StateRepository
        )
        const is = (holds: (reason: string) => boolean) =>
          Effect.repeat(
            Effect.tap(tasks.health, () => Effect.sleep("20 millis")),
            {
              until: (health) => holds(health._tag === "NotWritable" ? health.reason : "")
            }
          )
        assert.deepStrictEqual(yield* tasks.health, { _tag: "Writable" })
        yield* readOnly(true)
        yield* is((reason) => /^PostgreSQL: cannot execute \w+ in a read-only transaction$/.test(reason))
        yield* readOnly(false)
        yield* is((reason) => reason === "")
        yield* tasks.insert([submitted(1)])
      }).pipe(Effect.scoped),
    30_000
  )
})
