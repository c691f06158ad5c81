import { PgClient } from "@effect/sql-pg"
import { Redacted } from "effect"

/** Connections to the database of a URL. */
export const layer = (options: { readonly url: string; readonly connections?: number }) =>
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
      idle_in_transaction_session_timeout: "60s",
      // all that is asked is small, whatever is estimated: compiling it took ten times as long as a claim
      jit: "off"
    }
  })
