import { readFileSync, writeFileSync } from "node:fs"
import process from "node:process"
import { leave, tell } from "../Parent.ts"
import { content, percentile } from "../Values.ts"
import { Connection, get, post } from "./Connection.ts"

/** What a client process does. */
export interface ClientPlan {
  readonly port: number
  readonly connections: number
  /** POST new tasks, or GET the paths that stand in the file, in turn. */
  readonly ask: { readonly kind: "post"; readonly far?: boolean } | { readonly kind: "get"; readonly pathsFile: string }
  /** Asks for so long, and before that without counting. */
  readonly millis?: number
  readonly warmMillis?: number
  /** Or asks so many times. */
  readonly count?: number
  /** So many a second whatever the answers take, and counted from when each was due; else each connection as fast as it can. */
  readonly perSecond?: number
  /** Where to write the paths of the tasks posted. */
  readonly idsFile?: string
  /** Where to write when each request was due and how many milliseconds it took. */
  readonly samplesFile?: string
}

const tasks = "/api/v1/tasks"
const plan: ClientPlan = JSON.parse(process.argv[2] ?? "{}")

let asked = 0
const next = ((): (() => string) => {
  if (plan.ask.kind === "get") {
    const requests = readFileSync(plan.ask.pathsFile, "utf8").trimEnd().split("\n").map(get)
    return () => requests[asked++ % requests.length] ?? ""
  }
  const more = plan.ask.far === true ? { run_at: "2999-01-01T00:00:00.000Z" } : {}
  return () => post(tasks, { content: content(asked++), ...more })
})()

const paths: Array<string> = []
const samples: Array<string> = []
let latencies: Array<number> = []
let errors = 0

const record = (due: number, status: number, body: Buffer): void => {
  const took = performance.now() - due
  latencies.push(took)
  if (status !== 200 && status !== 201) errors++
  if (plan.samplesFile !== undefined) samples.push(`${performance.timeOrigin + due} ${took}`)
  if (plan.idsFile !== undefined && status === 201) {
    const { task_id }: { readonly task_id: string } = JSON.parse(body.toString())
    paths.push(`${tasks}/${task_id}`)
  }
}

const asFastAsItCan = (connection: Connection, goOn: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const again = (): void => {
      if (!goOn()) return resolve()
      const due = performance.now()
      connection.ask(next(), (status, body) => {
        record(due, status, body)
        again()
      })
    }
    again()
  })

const atItsPace = (connections: ReadonlyArray<Connection>, perSecond: number, millis: number): Promise<void> =>
  new Promise((resolve) => {
    const idle = [...connections]
    const waiting: Array<number> = []
    const start = performance.now()
    let issued = 0
    const give = (): void => {
      while (waiting.length > 0) {
        // all in turn: one that is idle for long is closed by the server
        const connection = idle.shift()
        if (connection === undefined) return
        const due = waiting.shift() ?? start
        connection.ask(next(), (status, body) => {
          record(due, status, body)
          idle.push(connection)
          give()
        })
      }
    }
    const timer = setInterval(() => {
      const now = performance.now()
      for (let due = start + (issued * 1000) / perSecond; due <= now && due < start + millis; issued++) {
        waiting.push(due)
        due = start + ((issued + 1) * 1000) / perSecond
      }
      give()
      if (now > start + millis && waiting.length === 0 && idle.length === connections.length) {
        clearInterval(timer)
        resolve()
      }
    }, 1)
  })

const connections = await Promise.all(Array.from({ length: plan.connections }, () => Connection.open(plan.port)))
const everyone = (goOn: () => boolean) => Promise.all(connections.map((connection) => asFastAsItCan(connection, goOn)))
const forMillis = (millis: number) => {
  const end = performance.now() + millis
  return () => performance.now() < end
}

if (plan.warmMillis !== undefined) await everyone(forMillis(plan.warmMillis))
latencies = []
samples.length = 0
errors = 0
const start = performance.now()
if (plan.perSecond !== undefined) await atItsPace(connections, plan.perSecond, plan.millis ?? 0)
else if (plan.count !== undefined) {
  const count = plan.count
  await everyone(() => asked < count)
} else await everyone(forMillis(plan.millis ?? 0))
const seconds = (performance.now() - start) / 1000

if (plan.idsFile !== undefined) writeFileSync(plan.idsFile, paths.join("\n"))
if (plan.samplesFile !== undefined) writeFileSync(plan.samplesFile, samples.join("\n"))
for (const connection of connections) connection.close()
await tell({
  rate: latencies.length / seconds,
  p50: percentile(latencies, 50),
  p99: percentile(latencies, 99),
  errors,
  count: latencies.length,
  asked
})
leave()
