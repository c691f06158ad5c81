import { existsSync, readFileSync, writeFileSync } from "node:fs"
import type { Arena } from "../Arena.ts"
import * as RunClient from "../http/RunClient.ts"
import * as Service from "../http/Service.ts"
import type { Row } from "../Row.ts"
import * as State from "../systems/State.ts"
import { percentile, type Values } from "../Values.ts"

const latency = { unit: "ms, p99", better: "less" } as const

/** What is read, and how often a second. */
const reads = [
  { column: "getOne", perSecond: 25, path: undefined },
  { column: "page", perSecond: 25, path: "/api/v1/tasks?limit=100" },
  { column: "failedPage", perSecond: 25, path: "/api/v1/tasks?status=FAILED&limit=100" },
  { column: "rarePage", perSecond: 2, path: "/api/v1/tasks?type=rare&limit=100" }
] as const

export const row: Row = {
  name: "million",
  title: "With 1,000,000 tasks",
  how: "venom serve under 500 POST/s, each counted from when it was due; beside them, 25 a second of each, GET one, a page of 100, a page of 100 of the 1 % FAILED, and twice a second a page of the type that one in 10,000 has",
  contenders: ["venom"],
  columns: {
    getOne: latency,
    page: latency,
    failedPage: latency,
    rarePage: latency,
    post: latency,
    postInDump: latency,
    dumpCosts: { unit: "× the POST p99 while a dump is under way", better: "less" },
    dumped: { unit: "s of dump seen", better: "less" }
  },
  reach: [
    ...reads.map(({ column }) => ({ column, says: "≤ 20 ms", figure: 20 })),
    { column: "dumpCosts", says: "≤ 2 ×", figure: 2 }
  ],
  measure: async (bench, contender) => {
    const arena = await bench.arena(contender, await State.million(bench, true))
    const service = await Service.startVenom(arena)
    await Service.ready(service)
    const { port } = service
    const millis = bench.quick ? 3000 : 60_000
    const samplesFile = `${arena.directory}/samples.txt`
    const dumps = watch(`${arena.directory}/state_dump.json.tmp`)
    const [, ...found] = await Promise.all([
      RunClient.run(arena, {
        port,
        connections: 64,
        perSecond: 500,
        millis,
        ask: { kind: "post", far: true },
        samplesFile
      }),
      ...reads.map(({ path, perSecond }) =>
        RunClient.run(arena, {
          port,
          connections: 4,
          perSecond,
          millis,
          ask: { kind: "get", pathsFile: pathsFile(arena, path) }
        })
      )
    ])
    const p99s = reads.map(({ column }, at): readonly [string, number] => [column, found[at]?.["p99"] ?? Number.NaN])
    return { ...Object.fromEntries(p99s), ...posts(samplesFile, dumps.end()) }
  }
}

const pathsFile = (arena: Arena, path: string | undefined): string => {
  if (path === undefined) return `${arena.directory}/${State.pathsFile}`
  const file = `${arena.directory}/${path.replaceAll(/\W/g, "-")}.txt`
  writeFileSync(file, path)
  return file
}

type Window = { readonly from: number; to: number }

/** When a file was there. */
const watch = (file: string) => {
  const windows: Array<Window> = []
  let open: Window | undefined
  const timer = setInterval(() => {
    const now = performance.timeOrigin + performance.now()
    if (!existsSync(file)) open = undefined
    else if (open === undefined) windows.push((open = { from: now, to: now }))
    else open.to = now
  }, 5)
  return {
    end: (): ReadonlyArray<Window> => {
      clearInterval(timer)
      return windows
    }
  }
}

/** The latency of POST while a dump was under way and while none was. */
const posts = (samplesFile: string, windows: ReadonlyArray<Window>): Values => {
  const inside: Array<number> = []
  const outside: Array<number> = []
  for (const line of readFileSync(samplesFile, "utf8").split("\n")) {
    const [due = 0, took = 0] = line.split(" ").map(Number)
    const isInside = windows.some(({ from, to }) => due + took >= from && due <= to)
    ;(isInside ? inside : outside).push(took)
  }
  const post = percentile(outside, 99)
  const postInDump = percentile(inside, 99)
  const dumped = windows.reduce((sum, { from, to }) => sum + to - from, 0) / 1000
  return { post, postInDump, dumpCosts: postInDump / post, dumped }
}
