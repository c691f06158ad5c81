import process from "node:process"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { Inside } from "../inside.ts"
import { residentMiB } from "../Processes.ts"
import { asked, tell } from "../Parent.ts"
import { Progress } from "../Progress.ts"
import type { Row } from "../Row.ts"
import { peers } from "../systems/Contenders.ts"
import { content } from "../Values.ts"

const tasks = (quick: boolean) => (quick ? 2000 : 100_000)

export const row: Row = {
  name: "memory",
  title: "Memory of 100,000 finished tasks",
  how: "in one process, right after the work, the server's processes included (PSS); heap per task after a collection, growth over the first 20,000. graphile-worker keeps no finished task",
  contenders: ["venom", "limit", ...peers],
  columns: {
    resident: { unit: "MiB", better: "less" },
    grown: { unit: "MiB more than before", better: "less" },
    heap: { unit: "bytes of heap per task", better: "less" }
  },
  reach: [
    { column: "resident", says: "≤ the lightest peer", against: { of: "peers" }, times: 1 },
    { column: "heap", says: "≤ 1 KB per finished task", figure: 1024 }
  ],
  measure: async (bench, contender) => {
    const arena = await bench.arena(contender)
    arena.startServer()
    const child = arena.inside("./rows/memory.ts", { tasks: tasks(bench.quick) })
    await child.next()
    const before = residentMiB(arena.pids())
    child.ask()
    await child.next()
    const resident = residentMiB(arena.pids())
    child.ask()
    return { resident, grown: resident - before, ...(await child.next()) }
  }
}

/** What is kept of the newest tasks alone, the events that readers come back for, is full by then. */
const first = 20_000

/** As many as may be under way while the process is filled. */
const ahead = 5000
const portion = 1000

export const inside: Inside = async (system, { tasks = 0 }) => {
  const completed = new Progress()
  await system.work({ started: () => {}, completed: completed.add })
  let submitted = 0
  const fill = async (until: number): Promise<void> => {
    for (; submitted < until; submitted += portion) {
      await completed.until(submitted - ahead)
      await system.submitMany(Array.from({ length: portion }, (_, n) => content(submitted + n)))
    }
    await completed.until(until)
  }
  await tell({ ready: 1 })
  await asked()
  const early = Math.min(first, tasks / 2)
  await fill(early)
  const before = collectedHeap()
  await fill(tasks)
  await tell({ completed: completed.done })
  await asked()
  await tell({ heap: (collectedHeap() - before) / (tasks - early) })
}

const collectedHeap = (): number => {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc")()
  return process.memoryUsage().heapUsed
}
