import { type ChildProcess, fork } from "node:child_process"
import { on } from "node:events"
import process from "node:process"
import { ended } from "./servers/Server.ts"
import { isValues, type Values } from "./Values.ts"

/** A process of the bench's own that tells figures. */
export interface Child {
  readonly process: ChildProcess
  /** The next figures it tells; fails when it ends without telling any. */
  readonly next: () => Promise<Values>
  /** Lets it go on, where it waits to be asked. */
  readonly ask: () => void
  readonly end: (signal: NodeJS.Signals) => Promise<void>
  /** Returns when it has ended by itself. */
  readonly ended: () => Promise<void>
}

export const start = (module: string, plan: object, execArgv: ReadonlyArray<string> = []): Child => {
  const child = fork(`${import.meta.dirname}/${module}`, [JSON.stringify(plan)], {
    execArgv: [...profiling(), ...execArgv],
    stdio: ["ignore", "ignore", "inherit", "ipc"]
  })
  const messages = on(child, "message", { close: ["disconnect"] })
  return {
    process: child,
    next: async () => {
      const { done, value } = await messages.next()
      const figures: unknown = done === true ? undefined : value[0]
      if (!isValues(figures))
        throw new Error(`${module} ended without a result (${child.exitCode ?? child.signalCode})`)
      return figures
    },
    ask: () => child.send("go on"),
    end: (signal) => ended(child, () => child.kill(signal)),
    ended: () => ended(child, () => {})
  }
}

/** With BENCH_PROF set to a directory every child writes its CPU profile there. */
const profiling = (): ReadonlyArray<string> => {
  const directory = process.env["BENCH_PROF"]
  return directory === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${directory}`]
}
