import { Effect, Schema } from "effect"
import { Migrator, type SqlClient } from "effect/sql"
import * as initial from "./migrations/0001_initial.ts"

/** Held while tables are made or changed: nodes that start together do it one after the other. */
const lock = 0x76656e6f

const migrations = { "0001_initial": initial.migration }

/** The tables are of a later version. */
export class TooNew extends Schema.TaggedError<TooNew>()("TooNew", { found: Schema.Int, known: Schema.Int }) {
  override get message() {
    return `its tables are of a later version of Venom (${this.found}; this one knows ${this.known}): start that version`
  }
}

const known = Object.keys(migrations).length

const refuseLater = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const [table] = yield* sql<{ readonly name: string | null }>`select to_regclass('venom.migration')::text as name`
  if (table === undefined || table.name === null) return
  const [row] = yield* sql<{ readonly found: number | null }>`select max(migration_id) as found from venom.migration`
  const found = row?.found ?? 0
  if (found > known) return yield* new TooNew({ found, known })
})

/** Brings the tables to this version; only forward. */
export const run = (sql: SqlClient.SqlClient) =>
  Effect.gen(function* () {
    // a migration of a large table may take long, and so may those who wait for it
    yield* sql`set local statement_timeout = 0`
    yield* sql`set local lock_timeout = 0`
    yield* sql`select pg_advisory_xact_lock(${lock})`
    yield* refuseLater(sql)
    const schemas = yield* sql`select 1 from pg_namespace where nspname = 'venom'`
    // where it is there this takes no right to create
    if (schemas.length === 0) yield* sql`create schema venom`
    return yield* Migrator.make({})({ loader: Migrator.fromRecord(migrations), table: "venom.migration" })
  }).pipe(sql.withTransaction)
