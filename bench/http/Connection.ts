import { connect, type Socket } from "node:net"

/** One keep-alive connection that asks one thing at a time: a client so light that it measures the server. */
export class Connection {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #then: ((status: number, body: Buffer) => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on("data", (bytes: Buffer) => this.#read(bytes))
    socket.on("close", () => this.#answer(0, Buffer.alloc(0)))
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port }, () => resolve(new Connection(socket)))
      socket.on("error", reject)
    })
  }

  /** `then` gets the status, 0 where the connection broke, and the body. */
  ask(request: string, then: (status: number, body: Buffer) => void): void {
    this.#then = then
    if (this.#socket.destroyed) setImmediate(() => this.#answer(0, Buffer.alloc(0)))
    else this.#socket.write(request)
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes])
    const end = this.#received.indexOf("\r\n\r\n")
    if (end < 0) return
    const head = this.#received.toString("latin1", 0, end)
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    if (length === undefined) throw new Error(`an answer without a length: ${head}`)
    const whole = end + 4 + Number(length)
    if (this.#received.length < whole) return
    const body = this.#received.subarray(end + 4, whole)
    this.#received = this.#received.subarray(whole)
    this.#answer(Number(head.slice(9, 12)), body)
  }

  #answer(status: number, body: Buffer): void {
    const then = this.#then
    this.#then = undefined
    then?.(status, body)
  }
}

export const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`

export const post = (path: string, body: object): string => {
  const json = JSON.stringify(body)
  return `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`
}
