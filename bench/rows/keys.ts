import type { Bench, Row } from "../Row.ts"
import * as State from "../systems/State.ts"
import { growth } from "./growth.ts"

const times = { unit: "× the cost at 1,000", better: "less" } as const
const cost = { unit: "ms for 64 at 100,000", better: "less" } as const

const keys = 1000

export const row: Row = {
  name: "keys",
  title: "How cost grows with 100,000 waiting tasks of 1,000 keys",
  how: "submit, claim and settle of 64 tasks on the repository, sync included, with 100,000 due tasks of 1,000 concurrency keys and with 1,000, by turns; each key may run 5 at once; medians; no dump meanwhile",
  contenders: ["venom"],
  columns: { submit: times, claim: times, settle: times, submitTakes: cost, claimTakes: cost, settleTakes: cost },
  reach: ["submit", "claim", "settle"].map((column) => ({ column, says: "≤ 1.5 ×", figure: 1.5 })),
  measure: async (bench) =>
    growth(bench, {
      small: await waiting(bench, 1000),
      large: await waiting(bench, bench.quick ? 20_000 : 100_000),
      keys
    })
}

const waiting = (bench: Bench, pending: number) => State.venom(bench, { finished: 0, pending, far: false, keys })
