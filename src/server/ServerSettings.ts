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
  /** Nothing can be changed by HTTP. */
  readonly readOnly: boolean
  /** Requests a second of each key, or of all where no key is needed; infinite without a limit. */
  readonly requestsPerKey: number
  /** What people call this place, such as production; shown on the page. */
  readonly environment: string
}

export type Prefix = "" | `/${string}`

export const defaults: ServerSettings = {
  host: "127.0.0.1",
  allowedHosts: [],
  maxBody: 2 * 1024 * 1024,
  prefix: "",
  readOnly: false,
  requestsPerKey: Number.POSITIVE_INFINITY,
  environment: ""
}

export const ServerSettings: Context.Reference<ServerSettings> = Context.Reference("venom/server/ServerSettings", {
  defaultValue: () => defaults
})
