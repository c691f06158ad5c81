import { type IncomingMessage, type Server, ServerResponse, STATUS_CODES } from "node:http"
import type { Duplex } from "node:stream"
import { longestUrl } from "./Guard.ts"
import { headers, plain, problemText, problemType } from "./JsonResponse.ts"

/** How long a client may take to read a refusal before its connection is cut. */
const closeGraceMillis = 500

/**
 * Problem documents for what never becomes a request, or none that reaches a route: what Node's parser
 * refuses, what took too long to arrive, CONNECT, and expectations other than 100-continue.
 */
export const install = (server: Server): void => {
  server.on("clientError", (error: NodeJS.ErrnoException & { rawPacket?: Uint8Array }, socket) => {
    const [status, detail] = explain(error.code, error.rawPacket)
    if (error.code === "ECONNRESET" || hasAnswerBegun(socket)) socket.destroy()
    else refuse(socket, status, detail)
  })
  server.on("connect", (_request: IncomingMessage, socket: Duplex) => {
    refuse(socket, 405, "This is no proxy", { allow: "GET, HEAD, POST" })
  })
  server.on("checkExpectation", (request: IncomingMessage, _response: ServerResponse) => {
    refuse(request.socket, 417, "The only expectation that can be met is 100-continue")
  })
}

const explain = (code: string | undefined, packet: Uint8Array | undefined): readonly [number, string] => {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return isInRequestLine(packet) ? [414, "The URL is too long"] : [431, "The headers are too large"]
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return [413, "The chunk extensions are too large"]
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return [408, "The request took too long to arrive"]
    default:
      return [400, "This is not HTTP as it should be"]
  }
}

/** Whether it is the URL that makes a request too large: this packet begins with it, and goes on and on. */
const isInRequestLine = (packet: Uint8Array | undefined): boolean =>
  packet !== undefined && new RegExp(`^[A-Z]+ [^\\r\\n]{${longestUrl}}`).test(Buffer.from(packet).toString("latin1"))

/** An answer that is half written cannot be followed by another one. */
const hasAnswerBegun = (socket: Duplex): boolean =>
  "_httpMessage" in socket && socket._httpMessage instanceof ServerResponse && socket._httpMessage.headersSent

const refuse = (socket: Duplex, status: number, detail: string, more: Readonly<Record<string, string>> = {}): void => {
  if (!socket.writable) return void socket.destroy()
  const title = STATUS_CODES[status] ?? "Error"
  const body = problemText(plain(status, title), detail)
  const lines = Object.entries({
    ...headers,
    ...more,
    "content-type": problemType,
    "content-length": String(Buffer.byteLength(body)),
    connection: "close"
  }).map(([name, value]) => `${name}: ${value}`)
  socket.on("error", () => socket.destroy())
  socket.end([`HTTP/1.1 ${status} ${title}`, ...lines, "", body].join("\r\n"))
  const timer = setTimeout(() => socket.destroy(), closeGraceMillis)
  socket.once("close", () => clearTimeout(timer))
}
