import { setTimeout as pause } from "node:timers/promises"
import type { Arena } from "../Arena.ts"
import * as RunClient from "../http/RunClient.ts"
import * as Service from "../http/Service.ts"
import type { Bench, Row } from "../Row.ts"
import { type ContenderKey, peers } from "../systems/Contenders.ts"

export const row: Row = {
  name: "get",
  title: "GET one task",
  how: "32 connections, a client in a process of its own; 2,000 finished tasks in turn (graphile-worker deletes what is finished: waiting ones)",
  contenders: ["venom", "limit", ...peers],
  columns: {
    rate: { unit: "requests/s", better: "more" },
    p50: { unit: "ms", better: "less" },
    p99: { unit: "ms", better: "less" },
    processor: { unit: "µs of processor per request", better: "less" }
  },
  reach: [{ column: "rate", says: "≥ 1.1 × the best peer", against: { of: "peers" }, times: 1.1 }],
  measure: async (bench, contender) => {
    const arena = await bench.arena(contender)
    const service = await Service.start(arena, contender, contender !== "graphileWorker")
    const pathsFile = await fill(bench, arena, contender, service)
    return RunClient.run(arena, {
      port: service.port,
      connections: 32,
      ask: { kind: "get", pathsFile },
      warmMillis: bench.quick ? 300 : 3000,
      millis: bench.quick ? 700 : 6000
    })
  }
}

const fill = async (bench: Bench, arena: Arena, contender: ContenderKey, { child, port }: Service.Service) => {
  const idsFile = `${arena.directory}.paths`
  const count = bench.quick ? 200 : 2000
  const { count: posted = 0 } = await RunClient.run(arena, {
    port,
    connections: 32,
    ask: { kind: "post" },
    count,
    idsFile
  })
  if (contender === "graphileWorker") return idsFile
  if (contender === "venom") await allFinished(port)
  else {
    for (let completed = 0; completed < posted; await pause(10)) {
      child.ask()
      completed = (await child.next())["completed"] ?? 0
    }
  }
  return idsFile
}

/** Waits until Venom holds no unfinished task. */
export const allFinished = async (port: number): Promise<void> => {
  for (const status of ["PENDING", "PROCESSING"]) {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/tasks?status=${status}&limit=1`)
      if ((await answer.text()) === "[]") break
      await pause(20)
    }
  }
}
