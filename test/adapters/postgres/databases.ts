import { PgClient } from "@effect/sql-pg"
import { Effect, Exit, Layer, Scope } from "effect"
import { afterAll, beforeAll } from "vitest"
import * as Client from "../../../src/adapters/postgres/Client.ts"
import * as Migrations from "../../../src/adapters/postgres/Migrations.ts"
import * as PostgresStateRepository from "../../../src/adapters/postgres/PostgresStateRepository.ts"
import * as RandomBytes from "../../../src/host/RandomBytes.ts"
import type { StateRepository } from "../../../src/ports/StateRepository.ts"
import * as Postgres from "../../support/Postgres.ts"

/** A database server for the tests of a file; gives the URL of its database once they run. */
export const ownServer = (settings: Readonly<Record<string, string>> = {}): (() => string) => {
  const scope = Scope.makeUnsafe()
  let url = ""
  beforeAll(
    () =>
      Effect.gen(function* () {
        const postgres = yield* Postgres.make({ settings: { fsync: "off", ...settings } })
        url = yield* postgres.database
      }).pipe(Scope.provide(scope), Effect.runPromise),
    60_000
  )
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)), 60_000)
  return () => url
}

const tables = ["task", "entry", "turn", "start", "tally", "change", "node"].map((name) => `venom.${name}`).join(", ")

/** Nothing is left of what was in the tables. */
const emptied = Effect.gen(function* () {
  const sql = yield* PgClient.PgClient
  yield* Migrations.run(sql)
  yield* sql.unsafe(`truncate ${tables} restart identity`)
  yield* sql`update venom.flow set value = null, is_free = true`
})

/** Over a database in which it finds nothing. */
export const repository = (
  url: string,
  options: PostgresStateRepository.PostgresOptions = {}
): Layer.Layer<StateRepository, unknown> =>
  PostgresStateRepository.layer(options).pipe(
    Layer.provide(Layer.effectDiscard(emptied)),
    Layer.provide(Client.layer({ url })),
    Layer.provide(RandomBytes.layer)
  )

/** The repository that lives in a database of its own, which a name stands for. */
export const lasting = (url: string, name: string): Layer.Layer<StateRepository, unknown> => {
  const own = url.replace(/[^/]*$/, name)
  const made = Effect.gen(function* () {
    const sql = yield* PgClient.PgClient
    if ((yield* sql`select 1 from pg_database where datname = ${name}`).length === 0) {
      yield* sql`create database ${sql(name)}`
    }
  }).pipe(Effect.provide(Layer.fresh(Client.layer({ url }))))
  const migrated = Effect.flatMap(PgClient.PgClient, Migrations.run)
  return PostgresStateRepository.layer().pipe(
    Layer.provide(Layer.effectDiscard(migrated)),
    Layer.provide(Layer.fresh(Client.layer({ url: own }))),
    Layer.provide(Layer.effectDiscard(made)),
    Layer.provide(RandomBytes.layer)
  )
}
