import { Context } from "effect"

export interface ServerSettings {
  /** Where the service listens: a name that the `Host` header may carry, beside the loopback names. */
  readonly host: string
  /** Further names that the `Host` header may carry. */
  readonly allowedHosts: ReadonlyArray<string>
  /** Bytes of a request body; a larger one is refused. */
  readonly maxBody: number
  /** Under which path all of it is mounted: nothing, or `/queue`. */
  readonly prefix: Prefix
}

export type Prefix = "" | `/${string}`

export const defaults: ServerSettings = { host: "127.0.0.1", allowedHosts: [], maxBody: 2 * 1024 * 1024, prefix: "" }

export const ServerSettings: Context.Reference<ServerSettings> = Context.Reference("venom/server/ServerSettings", {
  defaultValue: () => defaults
})
