import * as Child from "../Child.ts"
import type { Bench, Row } from "../Row.ts"
import * as State from "../systems/State.ts"
import type { CostPlan } from "../systems/venomCosts.ts"
import { median, type Values } from "../Values.ts"

const times = { unit: "× the cost at 1,000", better: "less" } as const
const cost = { unit: "ms for 64 at 1,000,000", better: "less" } as const

export const row: Row = {
  name: "growth",
  title: "How cost grows with 1,000,000 tasks",
  how: "submit, claim and settle of 64 tasks on the repository, sync included, at 1,000,000 tasks and at 1,000, by turns; medians; no dump meanwhile",
  contenders: ["venom"],
  columns: { submit: times, claim: times, settle: times, submitTakes: cost, claimTakes: cost, settleTakes: cost },
  reach: ["submit", "claim", "settle"].map((column) => ({ column, says: "≤ 1.3 ×", figure: 1.3 })),
  measure: async (bench) =>
    growth(bench, {
      small: await State.venom(bench, { finished: 990, pending: 10, far: false }),
      large: await State.million(bench, false),
      keys: 0
    })
}

const answers = 10

/** By turns, so that both states meet the same disk. The tasks submitted are of so many concurrency keys. */
export const growth = async (
  bench: Bench,
  { keys, large, small }: { readonly small: string; readonly large: string; readonly keys: number }
): Promise<Values> => {
  const start = async (state: string): Promise<Child.Child> => {
    const arena = await bench.arena("venom", state)
    const sizes = bench.quick ? { warm: 20, turns: 5 } : { warm: 300, turns: 100 }
    const plan: CostPlan = { directory: arena.directory, keys, answers, ...sizes }
    const child = arena.own(Child.start("systems/venomCosts.ts", plan))
    await child.next()
    return child
  }
  const [inSmall, inLarge] = [await start(small), await start(large)]
  return await byTurns(inSmall, inLarge, answers)
}

/** How many times as much it costs in a large state as in a small one, and what it costs there. */
export const byTurns = async (inSmall: Child.Child, inLarge: Child.Child, answers: number): Promise<Values> => {
  const cost = (child: Child.Child): Promise<Values> => {
    child.ask()
    return child.next()
  }
  const found: Array<Values> = []
  for (let turn = 0; turn < answers; turn++) {
    const [there, here] = [await cost(inSmall), await cost(inLarge)]
    const verbs = ["submit", "claim", "settle"].map((verb): readonly [string, number, number] => {
      const takes = here[verb] ?? Number.NaN
      return [verb, takes / (there[verb] ?? Number.NaN), takes]
    })
    found.push(
      Object.fromEntries(
        verbs.flatMap(([verb, times, takes]) => [
          [verb, times],
          [`${verb}Takes`, takes]
        ])
      )
    )
  }
  const columns = Object.keys(found[0] ?? {})
  return Object.fromEntries(columns.map((column) => [column, median(found.map((one) => one[column] ?? Number.NaN))]))
}
