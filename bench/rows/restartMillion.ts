import type { Row } from "../Row.ts"
import * as State from "../systems/State.ts"

export const row: Row = {
  name: "restart-million",
  title: "Restart with 1,000,000 tasks",
  how: "990,000 finished and 10,000 pending tasks; from the start of the process until the first attempt begins; files in the page cache",
  contenders: ["venom"],
  columns: { firstAttempt: { unit: "ms", better: "less" } },
  reach: [{ column: "firstAttempt", says: "≤ 10 s", figure: 10_000 }],
  measure: async (bench, contender) => {
    const arena = await bench.arena(contender, await State.million(bench, false))
    const start = performance.now()
    await arena.inside("./rows/restart.ts", { first: 1 }).next()
    return { firstAttempt: performance.now() - start }
  }
}
