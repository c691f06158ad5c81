import type { Server as HttpServer } from "node:http"
import type { Server } from "node:net"
import { Effect, type Scope } from "effect"

/** A server on a free port of this machine, which it gives, until the scope closes. */
export const listening = <S extends Server>(
  server: S,
  close: (server: S) => Effect.Effect<void>
): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () => close(server)
  )

/** Whoever has a connection loses it. */
export const cut = (server: HttpServer): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })
