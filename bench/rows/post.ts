import * as RunClient from "../http/RunClient.ts"
import * as Service from "../http/Service.ts"
import type { Row } from "../Row.ts"
import { peers } from "../systems/Contenders.ts"

/** Durable POST over HTTP; with `work` the same process works on the tasks as they come. */
export const rowOf = (name: string, title: string, how: string, work: boolean): Row => ({
  name,
  title,
  how: `32 connections, a client in a process of its own, each request after the answer to the one before; ${how}`,
  contenders: ["venom", "limit", ...peers],
  columns: {
    rate: { unit: "requests/s", better: "more" },
    p50: { unit: "ms", better: "less" },
    p99: { unit: "ms", better: "less" },
    processor: { unit: "µs of processor per request", better: "less" }
  },
  reach: [
    { column: "rate", says: "≥ 1.5 × the best durable peer", against: { of: "durable peers" }, times: 1.5 },
    { column: "rate", says: "≥ 0.55 × the limit", against: { of: "limit" }, times: 0.55 },
    { column: "p99", says: "≤ that peer's p99", against: { of: "durable peers", bestIn: "rate" }, times: 1 }
  ],
  measure: async (bench, contender) => {
    const arena = await bench.arena(contender)
    const { port } = await Service.start(arena, contender, work)
    return RunClient.run(arena, {
      port,
      connections: 32,
      ask: { kind: "post", far: !work && contender === "venom" },
      warmMillis: bench.quick ? 300 : 3000,
      millis: bench.quick ? 700 : 6000
    })
  }
})

export const row = rowOf("post", "Durable POST", "nobody works on the tasks (Venom's have a later run_at)", false)
