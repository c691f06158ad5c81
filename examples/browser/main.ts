import { createServer } from "node:http"
import { fileURLToPath } from "node:url"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { rolldown } from "rolldown"
import { Engine, MemoryStateRepository, Shutdown, TaskHandlers } from "venom"
import { VenomHttp } from "venom/http"
import { CountWords, NothingToCount } from "./tasks.ts"

const CountWordsHandler = CountWords.toLayer(({ text }, attempt) =>
  Effect.gen(function* () {
    const words = text.split(/\s+/).filter((word) => word !== "").length
    yield* attempt.progress(50, "counted")
    return words === 0 ? yield* new NothingToCount() : { words }
  })
)

const html = `<!doctype html>
<html lang="en">
  <meta charset="utf-8" />
  <title>Count words</title>
  <form><textarea></textarea><button>Count</button></form>
  <output></output>
  <script type="module" src="/page.js"></script>
</html>`

/** The page's program in one file, as any bundler makes it. */
const bundled = Effect.promise(async () => {
  const build = await rolldown({ input: fileURLToPath(new URL("page.ts", import.meta.url)), platform: "browser" })
  const { output } = await build.generate({ format: "esm", minify: true })
  await build.close()
  return output[0].code
})

const Page = Layer.mergeAll(
  HttpRouter.add("GET", "/", HttpServerResponse.html(html)),
  Layer.unwrap(
    Effect.map(bundled, (code) =>
      HttpRouter.add("GET", "/page.js", HttpServerResponse.text(code, { contentType: "text/javascript" }))
    )
  )
)

// the page stands at the same place as the queue: pages of other origins may not write
const Http = HttpRouter.serve(Layer.merge(Page, VenomHttp.layer({ prefix: "/queue" }))).pipe(
  Layer.provide(
    Layer.unwrap(
      Effect.map(Config.Int("PORT").pipe(Config.withDefault(3000)), (port) =>
        NodeHttpServer.layer(createServer, { port, host: "127.0.0.1" })
      )
    )
  )
)

const App = Shutdown.layer.pipe(
  Layer.provide(Http),
  Layer.provide(Engine.layer),
  Layer.provide(TaskHandlers.layer(CountWords).pipe(Layer.provide(CountWordsHandler))),
  Layer.provide([MemoryStateRepository.layer(), SecureRandom.layerWebCrypto])
)

NodeRuntime.runMain(Layer.launch(App))
