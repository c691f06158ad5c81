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
    end: (signal) => ended(child, () => child.kill(gently(signal))),
    ended: () => ended(child, () => {})
  }
}

/** Names a directory: every process of the bench that runs JavaScript writes its CPU profile there. */
export const profileVariable = "BENCH_PROFILE"

export const profiling = (): ReadonlyArray<string> => {
  const directory = process.env[profileVariable]
  return directory === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${directory}`]
}

/** A profile is written by a process that may end itself. */
export const gently = (signal: NodeJS.Signals): NodeJS.Signals => (profiling().length === 0 ? signal : "SIGTERM")
