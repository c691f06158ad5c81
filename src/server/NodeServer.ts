import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Duration, Effect, Layer } from "effect"
import type { SecureRandom } from "effect/crypto"
import { HttpRouter, HttpServer, type HttpServerError } from "effect/http"
import { createServer, type Server } from "node:http"
import { StartProgress } from "../ports/StartProgress.ts"
import { Access } from "./Access.ts"
import * as ConnectionErrors from "./ConnectionErrors.ts"
import * as HttpApi from "./HttpApi.ts"
import * as NotYet from "./NotYet.ts"
import * as Pipelining from "./Pipelining.ts"
import * as RequestMetrics from "./RequestMetrics.ts"
import * as RequestSpan from "./RequestSpan.ts"
import { defaults, ServerSettings } from "./ServerSettings.ts"
import { ServiceLog } from "./ServiceLog.ts"
import * as ShortWay from "./ShortWay.ts"

export interface Options extends Partial<Omit<ServerSettings, "prefix">> {
  /** 0 picks a free one; the `HttpServer` that this layer gives says which. */
  readonly port: number
  /** How long answers under way may take when the service stops; then their connections are cut. */
  readonly closeGrace?: Duration.Duration
  /** Milliseconds, for tests. */
  readonly limits?: Partial<typeof limits>
}

/** What a client may take up by being slow or many. */
const limits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: 60_000,
  /** Nothing has gone either way: a client that does not read is cut off. More than any wait, and than a heartbeat. */
  idleTimeout: 300_000,
  maxHeaderSize: 16 * 1024,
  maxConnections: 4096
}

/** The socket, and who asks there. */
class Socket extends Context.Service<Socket, { readonly server: Server; readonly settings: ServerSettings }>()(
  "venom/server/NodeServer/Socket"
) {}

/** Whoever still has a connection loses it. */
const cut = Layer.effectDiscard(
  Effect.gen(function* () {
    const { server } = yield* Socket
    yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
  })
)

/**
 * The first half: the port is bound, and whoever asks is told that the service starts, and how far it is
 * (`StartProgress`), until `answering` is built. Fails with `ServeError` where it cannot listen.
 */
export const listening = (options: Options): Layer.Layer<HttpServer.HttpServer | Socket, HttpServerError.ServeError> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const settings: ServerSettings = { ...defaults, ...options }
      const { idleTimeout, maxConnections, ...serverOptions } = { ...limits, ...options.limits }
      const server = createServer({
        ...serverOptions,
        // our own to ask for, with an answer that says so
        requireHostHeader: false,
        // a proxy may have gone by the first of two, Node by the last: together they are refused
        joinDuplicateHeaders: true,
        // a tenth of a GET goes into the body that it does not have
        optimizeEmptyRequests: true
      })
      server.maxConnections = maxConnections
      server.timeout = idleTimeout
      ConnectionErrors.install(server)
      const notYet = NotYet.make(settings, yield* StartProgress)
      server.on("request", notYet)
      // in the very step in which another takes over: no request is answered twice, or never
      server.on("newListener", (event) => {
        if (event === "request") server.off("request", notYet)
      })

      const socket = NodeHttpServer.layerServer(() => server, {
        host: settings.host,
        port: options.port,
        gracefulShutdownTimeout: options.closeGrace ?? Duration.seconds(5)
      })
      return cut.pipe(Layer.provideMerge(socket), Layer.provideMerge(Layer.succeed(Socket, { server, settings })))
    })
  )

/**
 * The second half: `HttpApi.layer` answers on the socket. Its end waits for the answers under way, `closeGrace` at most,
 * and no new connection is taken from then on.
 */
export const answering: Layer.Layer<
  never,
  never,
  HttpServer.HttpServer | Socket | HttpApi.Engine | SecureRandom.SecureRandom
> = Layer.unwrap(
  Effect.gen(function* () {
    const { server, settings } = yield* Socket
    const ordinaryWay = HttpRouter.serve(Layer.merge(HttpApi.layer, ShortWay.UnderWay.layer), {
      disableLogger: true,
      disableListenLog: true,
      routerConfig: HttpApi.routerConfig
    })
    const around = Effect.andThen(
      RequestMetrics.install(server),
      Effect.sync(() => Pipelining.install(server))
    )
    return Layer.effectDiscard(around).pipe(
      Layer.provide(ShortWay.layer(server)),
      Layer.provide(Layer.provide(ordinaryWay, RequestSpan.layer)),
      Layer.provide([ServiceLog.layer, Access.layer]),
      // closing waits for every connection, and Node no longer times out the ones that a client holds open
      Layer.provideMerge(cut),
      Layer.provide(HttpServer.layerServices),
      Layer.provide(Layer.succeed(ServerSettings, settings))
    )
  })
)

/**
 * Venom on a socket: `HttpApi.layer` served by Node.
 *
 * `NodeServer.layer({ host, port, allowedHosts, maxBody })` listens as soon as it is built and fails with
 * `ServeError` where it cannot. Put `Shutdown.layer` on top of it. `listening` and `answering` are its halves, for those
 * who want the port before the state.
 */
export const layer = (
  options: Options
): Layer.Layer<HttpServer.HttpServer, HttpServerError.ServeError, HttpApi.Engine | SecureRandom.SecureRandom> =>
  Layer.provideMerge(answering, listening(options))
