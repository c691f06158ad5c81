import type { Inside } from "../inside.ts"
import { asked, tell } from "../Parent.ts"
import { usedMicros } from "../Processes.ts"
import { Progress } from "../Progress.ts"
import type { Row } from "../Row.ts"
import { peers } from "../systems/Contenders.ts"
import { content } from "../Values.ts"

const submitters = 64

export const row: Row = {
  name: "engine",
  title: "Engine in one process",
  how: `${submitters} submitters, each awaiting the durable answer before the next task; worked on in the same process`,
  contenders: ["venom", "limit", ...peers],
  columns: {
    completed: { unit: "tasks/s", better: "more" },
    processor: { unit: "µs of processor per task", better: "less" }
  },
  reach: [
    { column: "completed", says: "≥ 5 × the best durable peer", against: { of: "durable peers" }, times: 5 },
    { column: "completed", says: "≥ 0.5 × the limit", against: { of: "limit" }, times: 0.5 }
  ],
  measure: async (bench, contender) => {
    const arena = await bench.arena(contender)
    arena.startServer()
    const child = arena.inside(
      "./rows/engine.ts",
      bench.quick ? { warm: 300, millis: 700 } : { warm: 2000, millis: 5000 }
    )
    await child.next()
    const before = usedMicros(arena.pids())
    child.ask()
    const { completed = 0, count = 0 } = await child.next()
    return { completed, processor: (usedMicros(arena.pids()) - before) / count }
  }
}

export const inside: Inside = async (system, { millis = 0, warm = 0 }) => {
  const completed = new Progress()
  let submitted = 0
  await system.work({ started: () => {}, completed: completed.add })
  const run = async (millis: number): Promise<void> => {
    const end = performance.now() + millis
    const submitter = async () => {
      while (performance.now() < end) await system.submit(content(submitted++))
    }
    await Promise.all(Array.from({ length: submitters }, submitter))
    await completed.until(submitted)
  }
  await run(warm)
  await tell({ warmed: 1 })
  await asked()
  const before = completed.done
  const start = performance.now()
  await run(millis)
  const count = completed.done - before
  await tell({ count, completed: (count * 1000) / (performance.now() - start) })
}
