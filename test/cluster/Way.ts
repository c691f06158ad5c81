import { PgClient } from "@effect/sql-pg"
import { Effect, Layer, type Scope } from "effect"
import type { Settings } from "../process/support/Service.ts"
import * as Postgres from "../support/Postgres.ts"
import type { Network } from "./Network.ts"
import * as Proxy from "./Proxy.ts"

/** How a node reaches the database, and how that is broken. */
export interface Way {
  /** What the node is started with. */
  readonly settings: Settings
  readonly within: ReadonlyArray<string>
  /** Its connections are gone, and it is told. */
  readonly cut: Effect.Effect<void>
  /** Nothing goes through any more, and nobody is told. */
  readonly stall: (isStill: boolean) => Effect.Effect<void>
}

type MakeWay = (n: number, database: string) => Effect.Effect<Way, never, Scope.Scope>

/** Through a proxy. */
export const proxied: MakeWay = (_, database) =>
  Effect.gen(function* () {
    const url = new URL(database)
    const proxy = yield* Proxy.make(Number(url.port))
    url.port = String(proxy.port)
    return { settings: { VENOM_DATABASE_URL: url.href }, within: [], cut: proxy.cut, stall: proxy.stall }
  })

/** By a cable from a network namespace of its own. */
export const cabled =
  (network: Network): MakeWay =>
  (n, database) =>
    Effect.gen(function* () {
      const place = yield* network.place(n)
      const url = new URL(database)
      url.hostname = network.database
      const cut = Effect.gen(function* () {
        const sql = yield* PgClient.PgClient
        yield* sql`select pg_terminate_backend(pid) from pg_stat_activity where client_addr = ${place.toDatabase}::inet`
      }).pipe(Effect.provide(Layer.fresh(Postgres.client(database))), Effect.ignoreCause)
      return {
        settings: { VENOM_DATABASE_URL: url.href, VENOM_HOST: place.address, VENOM_ALLOW_OPEN: "true" },
        within: place.within,
        cut,
        stall: place.cut
      }
    })
