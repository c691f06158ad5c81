/** Venom over HTTP, for the program that has the queue: the contract, and what answers it. */

export { VenomApi } from "./api/VenomApi.ts"
export * as VenomHttp from "./server/VenomHttp.ts"
export * as NodeServer from "./server/NodeServer.ts"
export { ServerSettings } from "./server/ServerSettings.ts"
