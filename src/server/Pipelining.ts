import type { Server } from "node:http"
import type { Socket } from "node:net"

/** Requests of one connection that may be without an answer. */
const most = 100

/**
 * A client may send requests without waiting for their answers, and Node begins with each at once. Without a bound one
 * connection could have any number of them under way, each with its memory: one that goes too far is cut off.
 */
export const install = (server: Server): void => {
  const underWay = new WeakMap<Socket, number>()
  server.prependListener("request", ({ socket }, response) => {
    const count = (underWay.get(socket) ?? 0) + 1
    underWay.set(socket, count)
    response.once("close", () => underWay.set(socket, (underWay.get(socket) ?? 1) - 1))
    if (count > most) socket.destroy()
  })
}
