import { Effect, type Scope } from "effect"
import * as Postgres from "../../support/Postgres.ts"
import { directory, serve, type Service, type Settings, type TooLate } from "./Service.ts"

/** Nodes over one PostgreSQL. */
export interface Cluster {
  readonly postgres: Postgres.Postgres
  readonly url: string
  /** Another one, up. */
  readonly node: (name: string, settings?: Settings) => Effect.Effect<Service, TooLate, Scope.Scope>
}

export const make = (
  usual: Settings = {},
  options: Parameters<typeof Postgres.make>[0] = {}
): Effect.Effect<Cluster, never, Scope.Scope> =>
  Effect.gen(function* () {
    const postgres = yield* Postgres.make(options)
    const url = yield* postgres.database
    return {
      postgres,
      url,
      node: (name, settings = {}) =>
        Effect.flatMap(directory, (data) =>
          serve(data, {
            VENOM_STORE: "postgres",
            VENOM_DATABASE_URL: url,
            VENOM_NODE_NAME: name,
            ...usual,
            ...settings
          })
        )
    }
  })
