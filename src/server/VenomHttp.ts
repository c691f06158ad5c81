import { Context, Effect, Layer } from "effect"
import { HttpRouter, HttpServer, HttpServerRequest } from "effect/http"
import * as HttpApi from "./HttpApi.ts"
import * as Mounted from "./Mounted.ts"
import { defaults, ServerSettings } from "./ServerSettings.ts"

/**
 * All that Venom answers over HTTP, as a part of an application that has a router of its own.
 *
 * `VenomHttp.layer({ prefix: "/queue", allowedHosts: ["app.example.org"] })` answers whatever is asked for below
 * `/queue`, by the rules of Venom, and has no say in the rest of the router. Without a prefix it answers what no other
 * route does.
 *
 * It is for those who are on this machine, or name a host of `allowedHosts`. Put `Shutdown.layer` on top of the server.
 */
export const layer = (options: Partial<ServerSettings> = {}) => {
  const settings = { ...defaults, ...options }
  const { prefix } = settings
  if (!/^(\/[\w.~-]+)*$/.test(prefix)) throw new Error(`${JSON.stringify(prefix)} is no prefix such as "/queue"`)
  return HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      // a router of its own: the guard stands around it, and around nothing else
      const answer = yield* HttpRouter.toHttpEffect(HttpApi.layer).pipe(
        // what is built here is found there otherwise, the router too
        Effect.provideServiceEffect(Layer.CurrentMemoMap, Layer.makeMemoMap),
        Effect.provideService(HttpRouter.RouterConfig, HttpApi.routerConfig),
        Effect.provideService(ServerSettings, settings),
        Effect.provide(HttpServer.layerServices),
        withoutMiddleware
      )
      const mounted = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
        Mounted.remember(request, prefix)
        return answer
      })
      const ours = prefix === "" ? router : router.prefixed(prefix)
      // each route below says whether it is interruptible
      yield* ours.add("*", "/*", mounted, { uninterruptible: true })
    })
  )
}

/** What the application has put around this route stands around it, and not around each route below once more. */
const withoutMiddleware = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.updateContext(effect, (context: Context.Context<R>) =>
    Context.makeUnsafe<R>(
      new Map(Array.from(context.mapUnsafe).filter(([key]) => !key.startsWith("effect/http/HttpRouter/Middleware-")))
    )
  )
