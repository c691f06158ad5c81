import { readFileSync } from "node:fs"
import { get, type IncomingMessage } from "node:http"
import { setTimeout as pause } from "node:timers/promises"
import * as RunClient from "../http/RunClient.ts"
import * as Service from "../http/Service.ts"
import type { Row } from "../Row.ts"
import * as State from "../systems/State.ts"

export const row: Row = {
  name: "list",
  title: "List of 1,000,000 streamed whole",
  how: "GET /api/v1/tasks of venom serve, read as fast as it comes, then by a reader that stands still; how far resident memory rose above where it was, and what GET one then takes others",
  contenders: ["venom"],
  columns: {
    grown: { unit: "MiB", better: "less" },
    grownSlow: { unit: "MiB, the reader standing still", better: "less" },
    seconds: { unit: "s for all", better: "less" },
    getBeside: { unit: "ms, p99 of GET one beside it", better: "less" },
    getBesideSlow: { unit: "ms, p99 of GET one, the reader standing still", better: "less" }
  },
  reach: [
    { column: "grown", says: "≤ 50 MB", figure: 48 },
    { column: "grownSlow", says: "≤ 50 MB", figure: 48 },
    { column: "getBesideSlow", says: "≤ 20 ms", figure: 20 }
  ],
  measure: async (bench, contender) => {
    const arena = await bench.arena(contender, await State.million(bench, true))
    const service = await Service.startVenom(arena)
    await Service.ready(service)
    const { port } = service
    const beside = (millis: number) =>
      RunClient.run(arena, {
        port,
        connections: 4,
        perSecond: 100,
        millis,
        ask: { kind: "get", pathsFile: `${arena.directory}/${State.pathsFile}` }
      })
    await beside(500)

    const whole = memoryOf(service)
    const start = performance.now()
    const [reading, besideWhole] = await Promise.all([readAll(port), beside(bench.quick ? 500 : 5000)])
    const seconds = (reading - start) / 1000
    const grown = whole.end()

    const slow = memoryOf(service)
    const response = await open(port)
    response.once("data", () => response.pause())
    await pause(200)
    const besideSlow = await beside(bench.quick ? 500 : 5000)
    const grownSlow = slow.end()
    response.destroy()
    return {
      grown,
      grownSlow,
      seconds,
      getBeside: besideWhole["p99"] ?? Number.NaN,
      getBesideSlow: besideSlow["p99"] ?? Number.NaN
    }
  }
}

const open = (port: number): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path: "/api/v1/tasks", agent: false }, resolve).on("error", reject)
  })

/** Gives when it ended. */
const readAll = async (port: number): Promise<number> => {
  let last = ""
  for await (const chunk of await open(port)) last = String(chunk).slice(-2)
  if (!last.trimEnd().endsWith("]")) throw new Error("the list has no end")
  return performance.now()
}

/** How far resident memory rises until the end, in MiB. */
const memoryOf = ({ child }: Service.Service) => {
  const now = () => (Number(readFileSync(`/proc/${child.process.pid}/statm`, "utf8").split(" ")[1]) * 4096) / 1024 ** 2
  const before = now()
  let most = before
  const timer = setInterval(() => (most = Math.max(most, now())), 20)
  return {
    end: (): number => {
      clearInterval(timer)
      return Math.max(most, now()) - before
    }
  }
}
