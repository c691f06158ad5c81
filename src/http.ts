/** Venom over HTTP, for the program that has the queue: the contract, and what answers it. */

export { VenomApi } from "./api/VenomApi.ts"
export * as VenomHttp from "./server/VenomHttp.ts"
export * as NodeServer from "./server/NodeServer.ts"
export { ServerSettings } from "./server/ServerSettings.ts"
/** Who may use it: `Layer.effect(ApiKeys, WatchedKeys.make({ directory }))`. */
export { ApiKeys } from "./ports/ApiKeys.ts"
export * as WatchedKeys from "./adapters/keys/WatchedKeys.ts"
