import * as Child from "../Child.ts"
import type { Bench } from "../Row.ts"
import type { StatePlan } from "./venomState.ts"

/** Paths of some finished tasks stand in this file of the directory. */
export const pathsFile = "paths.txt"

/** Venom's directory as a long life would have left it; made once in a run. */
export const venom = (bench: Bench, sizes: Pick<StatePlan, "finished" | "pending" | "far" | "keys">): Promise<string> =>
  bench.prepared(`state ${JSON.stringify(sizes)}`, async () => {
    const arena = await bench.arena("venom")
    const plan: StatePlan = { ...sizes, directory: arena.directory, pathsFile: `${arena.directory}/${pathsFile}` }
    const child = arena.own(Child.start("systems/venomState.ts", plan, ["--max-old-space-size=8192"]))
    await child.next()
    await child.ended()
    return bench.keep(arena)
  })

/** A million of them, ten thousand not finished. */
export const million = (bench: Bench, far: boolean): Promise<string> =>
  venom(bench, bench.quick ? { finished: 19_000, pending: 1000, far } : { finished: 990_000, pending: 10_000, far })
