import type { Inside } from "../inside.ts"
import { asked, tell } from "../Parent.ts"
import { Progress } from "../Progress.ts"
import type { Bench, Row } from "../Row.ts"
import { type ContenderKey, peers } from "../systems/Contenders.ts"
import { content } from "../Values.ts"

type Ending = "in order" | "by force"

/** From the start of all processes to the first attempt, on what an earlier life has left. */
export const rowOf = (name: string, title: string, ending: Ending): Row => ({
  name,
  title,
  how: `100,000 finished and 10,000 pending tasks; all processes were ended ${ending}; from the start of server and program, both at once, until the first attempt begins; files in the page cache`,
  contenders: ["venom", "limit", ...peers],
  columns: { firstAttempt: { unit: "ms", better: "less" } },
  reach: [
    { column: "firstAttempt", says: "faster than every peer", against: { of: "peers" }, times: 1 },
    { column: "firstAttempt", says: "≤ 2 × the limit", against: { of: "limit" }, times: 2 }
  ],
  measure: async (bench, contender) => {
    const left = await bench.prepared(`${name} ${contender}`, () => prepare(bench, contender, ending))
    const arena = await bench.arena(contender, left)
    const start = performance.now()
    arena.startServer()
    await arena.inside("./rows/restart.ts", { first: 1 }).next()
    return { firstAttempt: performance.now() - start }
  }
})

export const row = rowOf("restart", "Restart", "in order")

const prepare = async (bench: Bench, contender: ContenderKey, ending: Ending): Promise<string> => {
  const arena = await bench.arena(contender)
  arena.startServer()
  const sizes = bench.quick ? { finished: 2000, pending: 500 } : { finished: 100_000, pending: 10_000 }
  const child = arena.inside("./rows/restart.ts", { ...sizes, stay: ending === "by force" ? 1 : 0 })
  await child.next()
  if (ending === "in order") await child.ended()
  await arena.stop(ending)
  return bench.keep(arena)
}

const portion = 500

export const inside: Inside = async (system, { finished = 0, first = 0, pending = 0, stay = 0 }) => {
  if (first === 1) {
    let told = false
    await system.work({
      started: () => {
        if (!told) void tell({ first: 1 })
        told = true
      },
      completed: () => {}
    })
    // the bench ends the process
    return asked()
  }
  const completed = new Progress()
  await system.work({ started: () => {}, completed: completed.add })
  for (let submitted = 0; submitted < finished; submitted += portion) {
    await system.submitMany(Array.from({ length: portion }, (_, n) => content(submitted + n)))
    await completed.until(submitted - 10 * portion)
  }
  await completed.until(finished)
  await system.stopWorking()
  for (let submitted = 0; submitted < pending; submitted += portion) {
    await system.submitMany(Array.from({ length: portion }, (_, n) => content(finished + submitted + n)))
  }
  await tell({ left: 1 })
  if (stay === 1) await asked()
}
