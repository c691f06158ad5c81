import { writeFile } from "node:fs/promises"
import { setTimeout as pause } from "node:timers/promises"
import { Connection, get, post } from "../http/Connection.ts"
import * as Service from "../http/Service.ts"
import type { Bench, Row } from "../Row.ts"
import { percentile } from "../Values.ts"

const tasks = 8
const latency = { unit: "ms, p99", better: "less" } as const

export const row: Row = {
  name: "spin",
  title: "Answers while handlers spin",
  how: `venom serve with the module runner and ${tasks} tasks that each keep a processor busy for 5 s; GET /health/live every 5 ms until the last is done, with as many worker threads as by default and with ${tasks}`,
  contenders: ["venom"],
  columns: { health: latency, healthOfEight: { ...latency, unit: `ms, p99, ${tasks} threads` } },
  reach: [{ column: "health", says: "≤ 50 ms", figure: 50 }],
  measure: async (bench) => ({
    health: await slowest(bench, {}),
    healthOfEight: await slowest(bench, { VENOM_MODULE_WORKERS: String(tasks) })
  })
}

const slowest = async (bench: Bench, environment: Readonly<Record<string, string>>): Promise<number> => {
  const arena = await bench.arena("venom")
  const module = `${arena.directory}/spin.mjs`
  const millis = bench.quick ? 200 : 5000
  await writeFile(
    module,
    `export default () => { const end = Date.now() + ${millis}; while (Date.now() < end); return "spun" }`
  )
  const service = await Service.startVenom(arena, {
    environment: { VENOM_RUNNER: "module", VENOM_MODULE: module, ...environment }
  })
  await Service.ready(service)
  const connection = await Connection.open(service.port)
  for (let n = 0; n < tasks; n++) await ask(connection, post("/api/v1/tasks", { content: String(n) }), 201)
  const times: Array<number> = []
  for (let done = false; !done;) {
    for (let n = 0; n < 20; n++) {
      const start = performance.now()
      await ask(connection, get("/health/live"), 200)
      times.push(performance.now() - start)
      await pause(5)
    }
    const completed = await ask(connection, get("/api/v1/tasks?status=COMPLETED&limit=10"), 200)
    done = completed.split(`"result":"spun"`).length > tasks
  }
  connection.close()
  return percentile(times, 99)
}

const ask = (connection: Connection, request: string, expected: number): Promise<string> =>
  new Promise((resolve, reject) => {
    connection.ask(request, (status, body) =>
      status === expected ? resolve(body.toString()) : reject(new Error(`answered ${status}: ${body.toString()}`))
    )
  })
