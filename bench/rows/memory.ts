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
  how: "in one process, right after the work, the server's processes included (PSS); heap per task after a collection. graphile-worker keeps no finished task",
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

/** As many as may be under way while the process is filled. */
const ahead = 5000
const portion = 1000

export const inside: Inside = async (system, { tasks = 0 }) => {
  const completed = new Progress()
  await system.work({ started: () => {}, completed: completed.add })
  const before = collectedHeap()
  await tell({ ready: 1 })
  await asked()
  for (let submitted = 0; submitted < tasks; submitted += portion) {
    await completed.until(submitted - ahead)
    await system.submitMany(Array.from({ length: portion }, (_, n) => content(submitted + n)))
  }
  await completed.until(tasks)
  await tell({ completed: completed.done })
  await asked()
  await tell({ heap: (collectedHeap() - before) / tasks })
}

const collectedHeap = (): number => {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc")()
  return process.memoryUsage().heapUsed
}
