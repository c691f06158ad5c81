import type { ChildProcess } from "node:child_process"
import { once } from "node:events"

/** A database process of the bench's own, on a free port of the loopback, in a directory of its own. */
export interface Server {
  readonly process: ChildProcess
  readonly port: number
}

export interface ServerKind {
  /** How it is made to answer nothing of its former life. */
  readonly prepare: (directory: string) => Promise<void>
  readonly start: (directory: string, port: number) => ChildProcess
  /** Asks it to stop in order. */
  readonly stop: (process: ChildProcess) => void
}

/** Ended by its id, and gone when this returns. */
export const ended = async (process: ChildProcess, ask: (process: ChildProcess) => void): Promise<void> => {
  if (process.exitCode !== null || process.signalCode !== null) return
  const exit = once(process, "exit")
  ask(process)
  await exit
}
