import type { Inside } from "../inside.ts"
import { tell } from "../Parent.ts"
import type { Row } from "../Row.ts"
import { peers } from "../systems/Contenders.ts"
import { content, percentile } from "../Values.ts"

export const row: Row = {
  name: "one",
  title: "One task at a time",
  how: "from submit until the task is durably completed, then the next; in one process",
  contenders: ["venom", "limit", ...peers],
  columns: { p50: { unit: "ms", better: "less" }, p99: { unit: "ms", better: "less" } },
  reach: [{ column: "p50", says: "≤ 2 × the limit", against: { of: "limit" }, times: 2 }],
  measure: async (bench, contender) => {
    const arena = await bench.arena(contender)
    arena.startServer()
    return arena.inside("./rows/one.ts", bench.quick ? { warm: 20, tasks: 50 } : { warm: 1000, tasks: 1000 }).next()
  }
}

export const inside: Inside = async (system, { tasks = 0, warm = 0 }) => {
  let completed: (() => void) | undefined
  await system.work({ started: () => {}, completed: () => completed?.() })
  const latencies: Array<number> = []
  for (let n = 0; n < warm + tasks; n++) {
    const start = performance.now()
    const done = new Promise<void>((resolve) => (completed = resolve))
    await system.submit(content(n))
    await done
    if (n >= warm) latencies.push(performance.now() - start)
  }
  await tell({ p50: percentile(latencies, 50), p99: percentile(latencies, 99) })
}
