import type { Inside } from "../inside.ts"
import { asked, tell } from "../Parent.ts"
import { Progress } from "../Progress.ts"
import type { Row } from "../Row.ts"
import type { System } from "../systems/System.ts"
import { content } from "../Values.ts"

const onPostgres = ["venomPostgres", "pgBoss", "graphileWorker"] as const

const submitters = 64

/** Tasks that are taken in at once. */
const bulk = 1000

const fill = async (system: System, tasks: number) => {
  for (let n = 0; n < tasks; n += bulk) {
    await system.submitMany(Array.from({ length: Math.min(bulk, tasks - n) }, (_, m) => content(n + m)))
  }
}

/** A backlog, worked on by 1, 2 and 4 processes. */
export const row: Row = {
  name: "cluster",
  title: "A backlog on PostgreSQL, by 1, 2 and 4 workers",
  how: "tasks are there, then so many processes begin to work on them; completed within the time, over all processes, with the database on the same machine",
  contenders: onPostgres,
  subject: "venomPostgres",
  columns: {
    one: { unit: "tasks/s", better: "more" },
    two: { unit: "tasks/s", better: "more" },
    four: { unit: "tasks/s", better: "more" }
  },
  reach: [
    { column: "one", says: "≥ 1.5 × the better peer", against: { of: "durable peers" }, times: 1.5 },
    { column: "two", says: "≥ 1.5 × the better peer", against: { of: "durable peers" }, times: 1.5 },
    { column: "four", says: "≥ 1.5 × the better peer", against: { of: "durable peers" }, times: 1.5 }
  ],
  measure: async (bench, contender) => {
    const arena = await bench.arena(contender)
    arena.startServer()
    const measured = async (workers: number): Promise<number> => {
      const millis = bench.quick ? 700 : 5000
      const tasks = (bench.quick ? 3000 : 40_000) * workers
      const filling = arena.inside("./rows/cluster.ts", { fill: tasks })
      await filling.next()
      await filling.end("SIGTERM")
      const children = Array.from({ length: workers }, () => arena.inside("./rows/cluster.ts", { millis }))
      for (const child of children) await child.next()
      for (const child of children) child.ask()
      let completed = 0
      for (const child of children) completed += (await child.next())["completed"] ?? 0
      for (const child of children) await child.end("SIGTERM")
      return completed
    }
    return { one: await measured(1), two: await measured(2), four: await measured(4) }
  }
}

/** One by one, each awaited, while the tasks are worked on in the same process. */
export const clusterSubmit: Row = {
  name: "cluster-submit",
  title: "Submit and work on PostgreSQL, in one process",
  how: `${submitters} submitters, each awaiting the durable answer before the next task; worked on in the same process`,
  contenders: onPostgres,
  subject: "venomPostgres",
  columns: { completed: { unit: "tasks/s", better: "more" } },
  reach: [{ column: "completed", says: "≥ 1.5 × the better peer", against: { of: "durable peers" }, times: 1.5 }],
  measure: async (bench, contender) => {
    const arena = await bench.arena(contender)
    arena.startServer()
    const child = arena.inside(
      "./rows/engine.ts",
      bench.quick ? { warm: 300, millis: 700 } : { warm: 2000, millis: 5000 }
    )
    await child.next()
    child.ask()
    const { completed = 0 } = await child.next()
    return { completed }
  }
}

export const inside: Inside = async (system, { fill: tasks = 0, millis = 0 }) => {
  if (tasks > 0) {
    await fill(system, tasks)
    return await tell({ filled: tasks })
  }
  const progress = new Progress()
  await tell({ ready: 1 })
  await asked()
  await system.work({ started: () => {}, completed: progress.add })
  await new Promise((resolve) => setTimeout(resolve, millis / 5))
  const before = progress.done
  const start = performance.now()
  await new Promise((resolve) => setTimeout(resolve, millis))
  const completed = ((progress.done - before) * 1000) / (performance.now() - start)
  await system.stopWorking()
  await tell({ completed })
}
