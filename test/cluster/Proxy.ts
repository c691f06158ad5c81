import { connect, createServer, type Socket } from "node:net"
import { Effect, type Scope } from "effect"
import { listening } from "../support/Listening.ts"

/** A way to a server that can be cut, or stand still. */
export interface Proxy {
  readonly port: number
  readonly cut: Effect.Effect<void>
  readonly stall: (isStill: boolean) => Effect.Effect<void>
}

export const make = (to: number): Effect.Effect<Proxy, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = new Set<Socket>()
    let isStill = false
    const own = (socket: Socket) => {
      sockets.add(socket)
      if (isStill) socket.pause()
      socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy())
    }
    const server = createServer((near) => {
      const far = connect(to, "127.0.0.1")
      near.pipe(far).pipe(near)
      near.on("close", () => far.destroy())
      far.on("close", () => near.destroy())
      own(near)
      own(far)
    })
    const port = yield* listening(server, () =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
    )
    return {
      port,
      cut: Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
      }),
      stall: (still) =>
        Effect.sync(() => {
          isStill = still
          for (const socket of sockets) {
            if (still) socket.pause()
            else socket.resume()
          }
        })
    }
  })
