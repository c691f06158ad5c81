import { readFileSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import { Connection, get } from "../http/Connection.ts"
import * as RunClient from "../http/RunClient.ts"
import * as Service from "../http/Service.ts"
import type { Row } from "../Row.ts"
import { median } from "../Values.ts"

const samples = 50
const latency = { unit: "ms, median of 50", better: "less" } as const

export const row: Row = {
  name: "health",
  title: "Answers while 10,000 tasks run",
  how: "venom serve with 10,000 tasks of 100 ms at concurrency 64; GET /health/ready and GET one task, in turn on one connection",
  contenders: ["venom"],
  columns: { ready: latency, getOne: latency },
  reach: [
    { column: "ready", says: "≤ 100 ms", figure: 100 },
    { column: "getOne", says: "≤ 100 ms", figure: 100 }
  ],
  measure: async (bench, contender) => {
    const arena = await bench.arena(contender)
    const service = await Service.startVenom(arena, { environment: { VENOM_SIMULATED_DURATION: "100 millis" } })
    await Service.ready(service)
    const { port } = service
    const idsFile = `${arena.directory}/ids.txt`
    const count = bench.quick ? 2000 : 10_000
    await RunClient.run(arena, { port, connections: 32, ask: { kind: "post" }, count, idsFile })
    const paths = readFileSync(idsFile, "utf8").split("\n")
    const connection = await Connection.open(port)
    const ready: Array<number> = []
    const getOne: Array<number> = []
    for (let n = 0; n < samples; n++) {
      ready.push(await timed(connection, "/health/ready"))
      getOne.push(await timed(connection, paths[n * 7] ?? ""))
      await pause(20)
    }
    connection.close()
    const left = await fetch(`http://127.0.0.1:${port}/api/v1/tasks?status=PENDING&limit=1`)
    if ((await left.text()) === "[]") throw new Error("the tasks were finished before the last sample")
    return { ready: median(ready), getOne: median(getOne) }
  }
}

const timed = (connection: Connection, path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const start = performance.now()
    connection.ask(get(path), (status) =>
      status === 200 ? resolve(performance.now() - start) : reject(new Error(`${path} answered ${status}`))
    )
  })
