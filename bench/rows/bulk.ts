import type { Inside } from "../inside.ts"
import { tell } from "../Parent.ts"
import type { Row } from "../Row.ts"
import { peers } from "../systems/Contenders.ts"
import { content, median } from "../Values.ts"

const size = 1000

export const row: Row = {
  name: "bulk",
  title: "Bulk submit of 1,000",
  how: "one call after the other, nobody works on them; the median call",
  contenders: ["venom", "limit", ...peers],
  columns: { submitted: { unit: "tasks/s", better: "more" } },
  reach: [{ column: "submitted", says: "≥ 1 × graphile-worker", against: { of: "graphileWorker" }, times: 1 }],
  measure: async (bench, contender) => {
    const arena = await bench.arena(contender)
    arena.startServer()
    return arena.inside("./rows/bulk.ts", bench.quick ? { warm: 1, calls: 4 } : { warm: 10, calls: 50 }).next()
  }
}

export const inside: Inside = async (system, { calls = 0, warm = 0 }) => {
  const took: Array<number> = []
  for (let call = 0; call < warm + calls; call++) {
    const contents = Array.from({ length: size }, (_, n) => content(call * size + n))
    const start = performance.now()
    await system.submitMany(contents)
    if (call >= warm) took.push(performance.now() - start)
  }
  await tell({ submitted: (size * 1000) / median(took) })
}
