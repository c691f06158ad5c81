import * as Child from "../Child.ts"
import type { Row } from "../Row.ts"
import type { PostgresCostPlan } from "../systems/venomPostgresCosts.ts"
import { byTurns } from "./growth.ts"

const times = { unit: "× the cost at 1,000", better: "less" } as const
const cost = { unit: "ms for 64 at 10,000,000", better: "less" } as const

const answers = 10

export const row: Row = {
  name: "cluster-growth",
  title: "How cost grows with 10,000,000 finished tasks on PostgreSQL",
  how: "rows put in by SQL, vacuumed; then submit, claim and settle of 64 tasks on the repository, commits included, beside 10,000,000 and beside 1,000, by turns; medians",
  contenders: ["venomPostgres"],
  subject: "venomPostgres",
  columns: { submit: times, claim: times, settle: times, submitTakes: cost, claimTakes: cost, settleTakes: cost },
  reach: ["submit", "claim", "settle"].map((column) => ({ column, says: "≤ 1.3 ×", figure: 1.3 })),
  measure: async (bench) => {
    const start = async (finished: number): Promise<Child.Child> => {
      const arena = await bench.arena("venomPostgres")
      arena.startServer()
      const sizes = bench.quick ? { warm: 5, turns: 5 } : { warm: 100, turns: 50 }
      const plan: PostgresCostPlan = { port: arena.port, finished, answers, ...sizes }
      const child = arena.own(Child.start("systems/venomPostgresCosts.ts", plan))
      await child.next()
      return child
    }
    return await byTurns(await start(1000), await start(bench.quick ? 20_000 : 10_000_000), answers)
  }
}
