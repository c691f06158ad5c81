import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { PgClient } from "@effect/sql-pg"
import { Effect, Exit, Layer, Scope } from "effect"
import * as Client from "../../../src/adapters/postgres/Client.ts"
import * as Connected from "../../../src/adapters/postgres/Connected.ts"
import * as Migrations from "../../../src/adapters/postgres/Migrations.ts"
import * as Transfer from "../../../src/adapters/postgres/Transfer.ts"
import * as Trouble from "../../../src/adapters/postgres/Trouble.ts"
import * as RandomBytes from "../../../src/host/RandomBytes.ts"
import * as Postgres from "../../support/Postgres.ts"

const scope = Scope.makeUnsafe()
let port = 0

beforeAll(
  () =>
    Effect.gen(function* () {
      const postgres = yield* Postgres.make({ settings: { fsync: "off" } })
      port = postgres.port
      yield* Effect.flatMap(PgClient.PgClient, (sql) => sql`create role guest login`).pipe(
        Effect.provide(Postgres.client(yield* postgres.database))
      )
    }).pipe(Scope.provide(scope), Effect.runPromise),
  60_000
)
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)), 60_000)

/** What a start says that comes to nothing. */
const refusal = (url: string) =>
  Layer.build(Connected.layer({ url, concurrency: 1 })).pipe(
    Effect.provide(RandomBytes.layer),
    Effect.scoped,
    Effect.flip,
    Effect.map(({ message }) => message)
  )

describe("a database that cannot be used", () => {
  it.live("is named with the server's own words and what to do, and never with the password", () =>
    Effect.gen(function* () {
      const at = `127.0.0.1:${port}`
      const told = [
        yield* refusal(`postgres://postgres:s3cret@${at}/nowhere`),
        yield* refusal(`postgres://nobody:s3cret@${at}/postgres`),
        yield* refusal(`postgres://guest:s3cret@${at}/postgres`)
      ]
      assert.deepStrictEqual(told, [
        `The database cannot be used: database nowhere at ${at}, user postgres: database "nowhere" does not exist; create it (createdb), or name another`,
        `The database cannot be used: database postgres at ${at}, user nobody: role "nobody" does not exist; look at the user and its password, and at pg_hba.conf of the server`,
        `The database cannot be used: database postgres at ${at}, user guest: permission denied for database postgres; the user needs the right to create in this database: GRANT CREATE ON DATABASE … TO …`
      ])
      const moving = yield* Effect.flip(Transfer.read(`postgres://postgres:s3cret@${at}/nowhere`))
      assert.strictEqual(moving.message, told[0]?.slice("The database cannot be used: ".length))
    })
  )

  it.live("is not begun with where its tables are of a later version; where they are there nothing is created", () =>
    Effect.gen(function* () {
      const url = yield* Postgres.databaseNamed(port, "later")
      yield* Effect.gen(function* () {
        const sql = yield* PgClient.PgClient
        yield* Migrations.run(sql)
        yield* sql`grant usage on schema venom to guest`
        yield* sql`grant all on venom.migration to guest`
      }).pipe(Effect.provide(Layer.fresh(Postgres.client(url))))
      yield* Effect.flatMap(PgClient.PgClient, Migrations.run).pipe(
        Effect.provide(Layer.fresh(Postgres.client(url.replace("postgres@", "guest@"))))
      )
      yield* Effect.flatMap(
        PgClient.PgClient,
        (sql) => sql`insert into venom.migration (migration_id, name) values (99, 'later')`
      ).pipe(Effect.provide(Layer.fresh(Postgres.client(url))))
      assert.match(yield* refusal(url), /its tables are of a later version of Venom \(99; this one knows \d+\)/)
    })
  )

  it.live("so is one that does not answer", () =>
    Effect.gen(function* () {
      const asked = (url: string) =>
        Effect.flatMap(PgClient.PgClient, (sql) => sql`select 1`).pipe(
          Effect.provide(Layer.fresh(Client.layer({ url }))),
          Effect.flip,
          Effect.map((error) => Trouble.told(url, error))
        )
      assert.strictEqual(
        yield* asked("postgres://me:s3cret@127.0.0.1:1/queue"),
        "database queue at 127.0.0.1:1, user me: connect ECONNREFUSED 127.0.0.1:1; is PostgreSQL running, and can it be reached there?"
      )
      assert.match(
        yield* asked("postgres://me@no-such-host.invalid/queue"),
        /^database queue at no-such-host\.invalid:5432, user me: getaddrinfo .*; is PostgreSQL running/
      )
    })
  )

  it("is named where the URL that leads there cannot be read", () => {
    const told = Trouble.told("postgres://a%zz:s3cret@host/%ff", new Error("Invalid percent-encoding in URL username"))
    assert.strictEqual(told, "database %ff at host:5432, user a%zz: Invalid percent-encoding in URL username")
  })
})
