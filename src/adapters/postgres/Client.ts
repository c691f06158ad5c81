import { PgClient } from "@effect/sql-pg"
import { Duration, Effect, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"

/**
 * Connections to the database of a URL. Who says nothing for so long within a transaction, and may have locked what
 * others need, loses it; the server looks for those whom the network has cut off.
 */
export const layer = (options: {
  readonly url: string
  readonly connections?: number
  readonly silentFor?: Duration.Input
}) =>
  PgClient.layer({
    url: Redacted.make(options.url),
    applicationName: "venom",
    maxConnections: options.connections ?? 10,
    minConnections: 1,
    connectTimeout: "5 seconds",
    keepAlive: "10 seconds",
    startupParameters: {
      // what takes longer has gone wrong, and stands in the way of others
      statement_timeout: "30s",
      lock_timeout: "20s",
      idle_in_transaction_session_timeout: `${Duration.toMillis(options.silentFor ?? "1 minute")}ms`,
      tcp_keepalives_idle: "5s",
      tcp_keepalives_interval: "1s",
      tcp_keepalives_count: "5",
      tcp_user_timeout: "10s",
      // all that is asked is small, whatever is estimated: compiling it took ten times as long as a claim
      jit: "off"
    }
  })

/**
 * Another client of the same database: for what must not wait while the connections of the first are all taken. It
 * needs one connection, and for moments a second where the first one hangs.
 */
export const beside = ({ config }: PgClient.PgClient) =>
  PgClient.make({ ...config, multiplex: false, minConnections: 1, maxConnections: 2 }).pipe(
    Effect.provideServiceEffect(Reactivity.Reactivity, Reactivity.make)
  )
