import { Effect, Schema, type Scope } from "effect"
import { Agent, type IncomingHttpHeaders, request } from "node:http"
import { connect, type Socket } from "node:net"

/** No answer came: the connection was refused or broke. Whether the request was heard is not known. */
export class Unanswered extends Schema.TaggedError<Unanswered>()("Unanswered", { cause: Schema.Defect() }) {}

export interface Asked {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export type Ask = (asked: Asked) => Effect.Effect<Answer, Unanswered>

/** Asks over connections that stay open, as many as there are questions at once. */
export const client = (url: string): Effect.Effect<Ask, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Agent({ keepAlive: true })),
      (agent) => Effect.sync(() => agent.destroy())
    ),
    (agent) => ask(url, agent)
  )

/** Asks over a connection of its own, unless there is an agent. */
export const ask =
  (url: string, agent: Agent | false = false): Ask =>
  ({ body, headers = {}, method = "GET", path = "/" }) =>
    Effect.callback((resume) => {
      const { hostname, port } = new URL(url)
      const fail = (cause: unknown) => resume(Effect.fail(new Unanswered({ cause })))
      const asked = request({ hostname, port, method, path, headers, agent }, (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.on("error", fail)
        response.on("end", () =>
          resume(
            Effect.succeed({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: Buffer.concat(chunks).toString("utf8")
            })
          )
        )
      })
      asked.on("error", fail)
      asked.end(body)
      return Effect.sync(() => asked.destroy())
    })

/** A connection as such: what is written and what comes back is up to the test. Never fails; a reset is an end. */
export interface Connection {
  readonly socket: Socket
  readonly received: () => string
  /** When the service has ended the connection. */
  readonly closed: Effect.Effect<string>
}

export const open = (url: string): Effect.Effect<Connection, Unanswered, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Connection, Unanswered>((resume) => {
      const { hostname, port } = new URL(url)
      const chunks: Array<Buffer> = []
      const received = () => Buffer.concat(chunks).toString("latin1")
      const ended = Promise.withResolvers<void>()
      const socket = connect(Number(port), hostname)
      socket.on("data", (chunk) => chunks.push(Buffer.from(chunk)))
      socket.on("close", () => ended.resolve())
      socket.on("error", (cause) => resume(Effect.fail(new Unanswered({ cause }))))
      socket.once("connect", () =>
        resume(
          Effect.succeed({
            socket,
            received,
            closed: Effect.map(
              Effect.promise(() => ended.promise),
              received
            )
          })
        )
      )
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )
