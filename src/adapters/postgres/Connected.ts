import { PgClient } from "@effect/sql-pg"
import { Clock, Effect, Layer, Schedule, Schema } from "effect"
import type { SecureRandom } from "effect/crypto"
import { StateRepository } from "../../ports/StateRepository.ts"
import * as Client from "./Client.ts"
import * as DatabaseClock from "./DatabaseClock.ts"
import * as Migrations from "./Migrations.ts"
import * as Nodes from "./Nodes.ts"
import * as PostgresStateRepository from "./PostgresStateRepository.ts"
import * as Trouble from "./Trouble.ts"

/** The database cannot be used at all. */
export class DatabaseUnavailable extends Schema.TaggedError<DatabaseUnavailable>()("DatabaseUnavailable", {
  reason: Schema.String
}) {
  override get message() {
    return `The database cannot be used: ${this.reason}`
  }
}

/** A database may come up after those who use it: it is tried so often, once a second. */
const tries = 30

const unavailable = (url: string) => (error: { readonly message: string }) =>
  new DatabaseUnavailable({ reason: Trouble.told(url, error) })

const prepared = Effect.fnUntraced(function* (url: string) {
  const sql = yield* PgClient.PgClient
  yield* Migrations.run(sql).pipe(
    Effect.tapError((error) =>
      error._tag === "SqlError" && error.isRetryable
        ? Effect.logWarning("The database does not answer yet", Trouble.told(url, error))
        : Effect.void
    ),
    Effect.retry({
      schedule: Schedule.spaced("1 second"),
      times: tries,
      while: (error) => error._tag === "SqlError" && error.isRetryable
    }),
    Effect.mapError(unavailable(url))
  )
})

/** Connections of its own, tables brought to this version, and the time as the database has it for all above. */
export const layer = (
  options: { readonly url: string; readonly connections?: number } & PostgresStateRepository.PostgresOptions
): Layer.Layer<StateRepository, DatabaseUnavailable, SecureRandom.SecureRandom> => {
  const time = DatabaseClock.make()
  return Layer.merge(
    Layer.effect(StateRepository, PostgresStateRepository.make({ ...options, onTime: time.set })),
    Layer.succeed(Clock.Clock, time.clock)
  ).pipe(
    Layer.provide(Layer.effectDiscard(prepared(options.url))),
    Layer.provide(Client.layer({ ...options, silentFor: options.lease ?? Nodes.usualLease })),
    Layer.catchTag(["SqlError", "StorageError"], (error) =>
      Layer.effect(StateRepository, Effect.fail(unavailable(options.url)(error)))
    )
  )
}

/**
 * Over the `PgClient` of an application. What is submitted in a transaction of it is committed with the rest of that,
 * or not at all.
 */
export const layerOfClient = PostgresStateRepository.layer
