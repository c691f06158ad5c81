import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer } from "effect"
import { HttpServer } from "effect/http"
import { Shutdown } from "venom"
import { service } from "./service.ts"

const told = Layer.effectDiscard(
  Effect.flatMap(HttpServer.HttpServer, ({ address }) => Effect.log(HttpServer.formatAddress(address)))
)

const Service = Layer.merge(told, Shutdown.layer).pipe(Layer.provide(service(Number(process.env["PORT"] ?? 8000))))

NodeRuntime.runMain(Layer.launch(Service))
