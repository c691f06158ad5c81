import { createServer } from "node:http"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpRouter } from "effect/http"
import { Engine, engineDefaults, EngineSettings, FileStateRepository, Shutdown, TaskHandlers } from "venom"
import { VenomHttp } from "venom/http"
import { Orders } from "./Orders.ts"
import { Routes } from "./routes.ts"
import { ShipOrder, ShipOrderHandler, shipTheRest } from "./shipping.ts"

const Runner = TaskHandlers.layer(ShipOrder).pipe(Layer.provide(ShipOrderHandler))

const Queue = Engine.layer.pipe(
  Layer.provide([Runner, FileStateRepository.layer({ directory: "data/app" })]),
  Layer.provide(Layer.succeed(EngineSettings, { ...engineDefaults, concurrency: 8 })),
  Layer.provide(NodeFileSystem.layer)
)

// its own routes, and all of Venom below /queue
const Http = HttpRouter.serve(Layer.merge(Routes, VenomHttp.layer({ prefix: "/queue" }))).pipe(
  Layer.provide(
    Layer.unwrap(
      Effect.map(Config.Int("PORT").pipe(Config.withDefault(3000)), (port) =>
        NodeHttpServer.layer(createServer, { port, host: "127.0.0.1" })
      )
    )
  )
)

// what is named first ends first: the queue takes nothing in, lets attempts finish, and only then the server stops
const App = Shutdown.layer.pipe(
  Layer.provide(Http),
  Layer.provideMerge(Layer.effectDiscard(shipTheRest)),
  Layer.provide(Queue),
  Layer.provide(Orders.layer("data/orders.db")),
  Layer.provide(SecureRandom.layerWebCrypto)
)

NodeRuntime.runMain(Layer.launch(App))
