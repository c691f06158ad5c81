import { Effect, Layer, ManagedRuntime } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpRouter } from "effect/http"
import { Engine, MemoryStateRepository, Orchestrator, Shutdown, TaskRunner } from "venom"
import { VenomHttp } from "venom/http"

const Runner = Layer.succeed(TaskRunner, { run: (task) => Effect.succeed(task.content.toUpperCase()) })

const Queue = Shutdown.layer.pipe(
  Layer.provideMerge(Engine.layer),
  Layer.provideMerge(SecureRandom.layerWebCrypto),
  Layer.provide([Runner, MemoryStateRepository.layer()])
)

// one queue: what the runtime has built the routes find there
const runtime = ManagedRuntime.make(Queue)
const venom = HttpRouter.toWebHandler(VenomHttp.layer({ prefix: "/queue" }).pipe(Layer.provide(Queue)), {
  memoMap: runtime.memoMap,
  disableLogger: true
})

/** A function like any other of an application that has no Effect. */
const shout = (text: string): Promise<string | null> =>
  runtime.runPromise(
    Effect.gen(function* () {
      const queue = yield* Orchestrator
      const { id } = yield* queue.submit({ content: text })
      return (yield* queue.awaitFinal(id)).result
    })
  )

/** From request to response, as Next.js, Hono, Bun and Deno have it. */
export const handle = async (request: Request): Promise<Response> =>
  new URL(request.url).pathname.startsWith("/queue/")
    ? venom.handler(request)
    : new Response(await shout(await request.text()))

export const stop = async (): Promise<void> => {
  await venom.dispose()
  await runtime.dispose()
}
