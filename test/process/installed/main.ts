// The program of a project that has installed the package: something of each export.
import { fileURLToPath } from "node:url"
import { Console, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { FetchHttpClient, HttpServer } from "effect/http"
import { TestClock } from "effect/testing"
import { Engine, MemoryStateRepository, ModuleTaskRunner, Orchestrator } from "venom"
import { HttpTaskClient, TaskType, VenomClient } from "venom/client"
import { NodeServer, VenomApi } from "venom/http"
import { layerTest, TestQueue } from "venom/testing"
import { Schema } from "effect"

/** Its handlers are JavaScript here, as the compiler has made it. */
const Threads = ModuleTaskRunner.layer({
  module: fileURLToPath(new URL("../runners/handlers.js", import.meta.url)),
  workers: 1
})
const Served = NodeServer.layer({ port: 0 }).pipe(
  Layer.provideMerge(Engine.layer),
  Layer.provide([Threads, MemoryStateRepository.layer(), SecureRandom.layerWebCrypto])
)

const Primes = TaskType.make("primes", {
  payload: Schema.Int,
  success: Schema.Struct({ limit: Schema.Int, primes: Schema.Int })
})

const elsewhere = Effect.gen(function* () {
  const server = yield* HttpServer.HttpServer
  const url = HttpServer.formatAddress(server.address)
  const Client = HttpTaskClient.layer.pipe(
    Layer.provideMerge(VenomClient.layer({ url })),
    Layer.provide(FetchHttpClient.layer)
  )
  const { primes } = yield* Effect.scoped(
    Effect.flatMap(Primes.submit(100), (handle) => handle.await).pipe(Effect.provide(Client))
  )
  yield* Console.log(`${VenomApi.identifier}: ${primes} primes, counted in a thread`)
}).pipe(Effect.provide(Served))

const virtual = Effect.gen(function* () {
  const venom = yield* Orchestrator
  yield* venom.submit({ content: "much later", delay: "30 days" })
  const [task] = yield* (yield* TestQueue).drain
  yield* Console.log(`${task?.content}: ${task?.status}`)
}).pipe(Effect.provide(layerTest({ run: () => Effect.succeed("done") }).pipe(Layer.provideMerge(TestClock.layer()))))

await Effect.runPromise(Effect.andThen(elsewhere, virtual))
