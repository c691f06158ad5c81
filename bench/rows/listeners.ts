import { readFileSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import * as Child from "../Child.ts"
import type { ListenPlan } from "../http/listen.ts"
import * as RunClient from "../http/RunClient.ts"
import * as Service from "../http/Service.ts"
import { residentMiB, usedMicros } from "../Processes.ts"
import type { Row } from "../Row.ts"

const range = (count: number) => Array.from({ length: count }, (_, n) => n)

export const row: Row = {
  name: "listeners",
  title: "1,000 open streams and 1,000 waiters",
  how: "venom serve, where 1,000 tasks wait; 500 streams of all tasks, 500 of one task each, 1,000 requests with Prefer: wait; then nothing happens for 16 seconds, a heartbeat included; memory as PSS",
  contenders: ["venom"],
  columns: {
    grown: { unit: "MiB more than before", better: "less" },
    idle: { unit: "% of a processor", better: "less" }
  },
  reach: [
    { column: "grown", says: "≤ 100 MiB", figure: 100 },
    { column: "idle", says: "≤ 1 %", figure: 1 }
  ],
  measure: async (bench, contender) => {
    const count = bench.quick ? 100 : 1000
    const arena = await bench.arena(contender)
    const service = await Service.startVenom(arena)
    await Service.ready(service)
    const { port } = service
    const idsFile = `${arena.directory}/ids.txt`
    await RunClient.run(arena, { port, connections: 32, ask: { kind: "post", far: true }, count, idsFile })
    const paths = readFileSync(idsFile, "utf8").trim().split("\n")
    const server = arena.pids()
    await pause(2000)
    const before = residentMiB(server)
    const at = (n: number) => paths[n % paths.length] ?? ""
    const plan: ListenPlan = {
      port,
      streams: range(count).map((n) => (n % 2 === 0 ? "/api/v1/events" : `${at(n)}/events`)),
      waiters: range(count).map(at)
    }
    const listeners = arena.own(Child.start("http/listen.ts", plan))
    const { streams, waiting } = await listeners.next()
    await pause(1000)
    const used = usedMicros(server)
    const millis = bench.quick ? 2000 : 16_000
    await pause(millis)
    const idle = ((usedMicros(server) - used) / (millis * 1000)) * 100
    const grown = residentMiB(server) - before
    listeners.ask()
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/tasks/actions/cancel`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}"
    })
    await answer.body?.cancel()
    const { answered } = await listeners.next()
    if (streams !== count || waiting !== count || answered !== count)
      throw new Error(`of ${count}, ${streams} streams were open and ${answered} of ${waiting} waiters were answered`)
    return { grown, idle }
  }
}
