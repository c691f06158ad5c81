import { createConnection } from "node:net"
import { setTimeout as pause } from "node:timers/promises"

/** Waits until Redis has loaded its data and answers. */
export const redisAnswers = (port: number): Promise<void> => until(() => says(port, "PING\r\n", "+PONG"))

/** Waits until PostgreSQL lets a client in. */
export const postgresAnswers = (port: number): Promise<void> => until(() => says(port, startup(), "R"))

const until = async (isTrue: () => Promise<boolean>): Promise<void> => {
  const end = performance.now() + 120_000
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error("the server does not answer")
    await pause(5)
  }
}

const says = (port: number, question: string | Buffer, answer: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port })
    const done = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket.on("connect", () => socket.write(question))
    socket.on("data", (bytes) => done(bytes.toString("latin1").startsWith(answer)))
    socket.on("error", () => done(false))
    socket.on("close", () => done(false))
  })

/** The first message of PostgreSQL's protocol: length, version 3.0, user and database. */
const startup = (): Buffer => {
  const names = Buffer.from("user\0postgres\0database\0postgres\0\0")
  const head = Buffer.alloc(8)
  head.writeInt32BE(names.length + 8, 0)
  head.writeInt32BE(3 << 16, 4)
  return Buffer.concat([head, names])
}
