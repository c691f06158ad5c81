import { Effect, Schema } from "effect"
import { type IncomingMessage, request as nodeRequest } from "node:http"
import { port } from "./support.ts"

export interface SseEvent {
  readonly id: string | undefined
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
}

const Data = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown))
const readData = Schema.decodeUnknownSync(Data)

/** The blocks of a stream, each closed by an empty line; what comes after the last is not whole. */
export const blocksOf = (text: string): ReadonlyArray<string> => text.split("\n\n").slice(0, -1)

/** The events of a stream, as the standard reads them: a block without data is none. */
export const eventsOf = (text: string): ReadonlyArray<SseEvent> =>
  blocksOf(text).flatMap((block) => {
    const fields = new Map(
      block.split("\n").map((line): [string, string] => {
        const colon = line.indexOf(":")
        return [line.slice(0, colon), line.slice(colon + 1).trimStart()]
      })
    )
    const data = fields.get("data")
    return data === undefined
      ? []
      : [{ id: fields.get("id"), event: fields.get("event") ?? "message", data: readData(data) }]
  })

export interface OpenStream {
  readonly response: IncomingMessage
  /** All that came so far. */
  readonly text: () => string
  /** Waits until what came so far is enough. */
  readonly until: (enough: (text: string) => boolean) => Effect.Effect<string, Error>
  /** Waits for the end, and gives everything. */
  readonly end: Effect.Effect<string, Error>
  readonly hangUp: Effect.Effect<void>
}

/** Opens a stream; it is hung up when the scope ends. */
export const openStream = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.flatMap(port, (at) => openStreamAt(at, path, headers))

export const openStreamAt = (at: number, path: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.acquireRelease(
    Effect.callback<OpenStream, Error>((resume) => {
      let text = ""
      let ended = false
      let looks: ReadonlyArray<() => void> = []
      const look = () => {
        const now = looks
        looks = []
        for (const one of now) one()
      }
      const wait = (enough: () => boolean): Effect.Effect<string, Error> =>
        Effect.callback((resume) => {
          const check = () => {
            if (enough()) resume(Effect.succeed(text))
            else if (ended) resume(Effect.die(`the stream ended: ${text}`))
            else looks = [...looks, check]
          }
          check()
        })
      const request = nodeRequest({ port: at, host: "127.0.0.1", path, headers, agent: false }, (response) => {
        response.setEncoding("utf8")
        response.on("data", (piece: string) => {
          text += piece
          look()
        })
        response.on("error", () => look())
        response.on("close", () => {
          ended = true
          look()
        })
        resume(
          Effect.succeed({
            response,
            text: () => text,
            until: (enough) => wait(() => enough(text)),
            end: wait(() => ended),
            hangUp: Effect.sync(() => request.destroy())
          })
        )
      })
      request.on("error", (error) => resume(Effect.fail(error)))
      request.end()
    }),
    ({ hangUp }) => hangUp
  )
