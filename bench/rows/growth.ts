import * as Child from "../Child.ts"
import type { Bench, Row } from "../Row.ts"
import * as State from "../systems/State.ts"
import type { CostPlan } from "../systems/venomCosts.ts"
import type { Values } from "../Values.ts"

const times = { unit: "× the cost at 1,000", better: "less" } as const
const cost = { unit: "ms for 64 at 1,000,000", better: "less" } as const

export const row: Row = {
  name: "growth",
  title: "How cost grows with 1,000,000 tasks",
  how: "submit, claim and settle of 64 tasks on the repository, sync included, at 1,000,000 tasks and at 1,000; medians; no dump meanwhile",
  contenders: ["venom"],
  columns: { submit: times, claim: times, settle: times, submitTakes: cost, claimTakes: cost, settleTakes: cost },
  reach: ["submit", "claim", "settle"].map((column) => ({ column, says: "≤ 1.3 ×", figure: 1.3 })),
  measure: async (bench) => {
    const small = await costs(bench, await State.venom(bench, { finished: 990, pending: 10, far: false }))
    const large = await costs(bench, await State.million(bench, false))
    const verbs = ["submit", "claim", "settle"]
    const at = (values: Values, verb: string) => values[verb] ?? Number.NaN
    return {
      ...Object.fromEntries(verbs.map((verb) => [verb, at(large, verb) / at(small, verb)])),
      ...Object.fromEntries(verbs.map((verb) => [`${verb}Takes`, at(large, verb)]))
    }
  }
}

const costs = async (bench: Bench, state: string): Promise<Values> => {
  const arena = await bench.arena("venom", state)
  const plan: CostPlan = {
    directory: arena.directory,
    ...(bench.quick ? { warm: 20, turns: 50 } : { warm: 300, turns: 1000 })
  }
  return arena.own(Child.start("systems/venomCosts.ts", plan)).next()
}
