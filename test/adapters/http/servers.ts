import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Deferred, Effect, Queue } from "effect"
import { cut, listening } from "../../support/Listening.ts"

/** A message as a receiver has it. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

type Answering = (response: ServerResponse, received: Received) => void

/** A service on a free port of this machine, until the scope closes, and what it was sent. */
export const serve = Effect.fnUntraced(function* (answering: Answering) {
  const received = yield* Queue.unbounded<Received>()
  const gone = yield* Deferred.make<void>()
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    response.on("close", () => response.writableFinished || Deferred.doneUnsafe(gone, Effect.void))
    request.on("end", () => {
      const { headers, method = "", url = "" } = request
      const message = { method, path: url, headers, body: Buffer.concat(chunks).toString("utf8") }
      Queue.offerUnsafe(received, message)
      answering(response, message)
    })
  })
  const port = yield* listening(server, cut)
  return {
    url: `http://127.0.0.1:${port}/work`,
    port,
    next: Queue.take(received),
    count: Queue.size(received),
    /** When a client has hung up before its answer was whole. */
    hungUp: Deferred.await(gone),
    connections: Effect.callback<number>((resume) => {
      server.getConnections((_, count) => resume(Effect.succeed(count)))
    })
  }
})
