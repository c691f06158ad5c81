import { connect } from "node:net"
import process from "node:process"
import { asked, leave, tell } from "../Parent.ts"

/** Readers of streams and waiters for tasks, each on a connection of its own, in a process of their own. */
export interface ListenPlan {
  readonly port: number
  readonly streams: ReadonlyArray<string>
  readonly waiters: ReadonlyArray<string>
}

const plan: ListenPlan = JSON.parse(process.argv[2] ?? "{}")

/** Tells the status of the answer as soon as it begins. */
const ask = (path: string, headers: string, sent: () => void): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: plan.port })
    socket.once("connect", () => socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${headers}\r\n`, sent))
    socket.once("data", (bytes: Buffer) => {
      socket.resume()
      resolve(Number(bytes.toString("latin1", 9, 12)))
    })
    socket.once("error", reject)
  })

const fine = (statuses: ReadonlyArray<number>) => statuses.filter((status) => status === 200).length

const streams = fine(await Promise.all(plan.streams.map((path) => ask(path, "", () => {}))))
let waiting = 0
const answers = plan.waiters.map((path) => ask(path, "prefer: wait=60\r\n", () => waiting++))
while (waiting < plan.waiters.length) await new Promise((resolve) => setTimeout(resolve, 5))
await tell({ streams, waiting })
await asked()
await tell({ answered: fine(await Promise.all(answers)) })
leave()
