import { Effect } from "effect"
import { Migrator, type SqlClient } from "effect/sql"
import * as initial from "./migrations/0001_initial.ts"

/** Held while tables are made or changed: nodes that start together do it one after the other. */
const lock = 0x76656e6f

const migrations = { "0001_initial": initial.migration }

/** Brings the tables to this version; only forward. */
export const run = (sql: SqlClient.SqlClient) =>
  Effect.gen(function* () {
    // a migration of a large table may take long, and so may those who wait for it
    yield* sql`set local statement_timeout = 0`
    yield* sql`set local lock_timeout = 0`
    yield* sql`select pg_advisory_xact_lock(${lock})`
    yield* sql`create schema if not exists venom`
    return yield* Migrator.make({})({ loader: Migrator.fromRecord(migrations), table: "venom.migration" })
  }).pipe(sql.withTransaction)
