import { createServer, type IncomingHttpHeaders } from "node:http"
import { Effect } from "effect"
import { cut, listening } from "../support/Listening.ts"
import * as Otlp from "./Otlp.ts"

export interface Collector {
  /** What `OTEL_EXPORTER_OTLP_ENDPOINT` is. */
  readonly endpoint: string
  readonly headers: ReadonlyArray<IncomingHttpHeaders>
  /** Everything that came, as it came. */
  readonly raw: () => string
  readonly resources: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly spans: ReadonlyArray<Otlp.Span>
  readonly records: ReadonlyArray<Otlp.LogRecord>
  /** What was no OTLP. */
  readonly wrong: ReadonlyArray<string>
  /** Requests that waited for an answer together, at most. */
  readonly mostOpen: () => number
}

/** Stands in for an OpenTelemetry collector: takes OTLP over HTTP, or never answers. */
export const collector = (behaviour: "answers" | "never answers" = "answers") =>
  Effect.gen(function* () {
    const headers: Array<IncomingHttpHeaders> = []
    const bodies: Array<Buffer> = []
    const resources: Array<Readonly<Record<string, unknown>>> = []
    const spans: Array<Otlp.Span> = []
    const records: Array<Otlp.LogRecord> = []
    const wrong: Array<string> = []
    let open = 0
    let mostOpen = 0
    const server = createServer((request, response) => {
      open++
      mostOpen = Math.max(open, mostOpen)
      response.on("close", () => open--)
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        if (behaviour === "never answers") return
        const body = Buffer.concat(chunks)
        const { headers: sent, method = "", url = "" } = request
        headers.push(sent)
        bodies.push(body)
        try {
          if (method !== "POST" || !Otlp.isPath(url)) throw new Error(`${method} ${url}`)
          const received = Otlp.read(url, body, `${sent["content-type"]}`)
          resources.push(...received.resources)
          spans.push(...received.spans)
          records.push(...received.records)
        } catch (error) {
          wrong.push(String(error))
        }
        // an empty answer says that all of it was taken
        response.writeHead(200, { "content-type": "application/x-protobuf" }).end()
      })
    })
    const port = yield* listening(server, cut)
    const it: Collector = {
      endpoint: `http://127.0.0.1:${port}`,
      headers,
      raw: () => bodies.map((body) => body.toString("utf8")).join("\n"),
      resources,
      spans,
      records,
      wrong,
      mostOpen: () => mostOpen
    }
    return it
  })
