import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { afterEach } from "vitest"
import { storeOf } from "./support/Service.ts"
import { type Ended, type Options, Venom } from "./support/Venom.ts"

export type { Venom }

const ends: Array<() => unknown> = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

/** A directory of its own for a test, gone when the test is over. */
export const directory = async () => {
  const path = await mkdtemp(join(tmpdir(), "venom-"))
  ends.push(() => rm(path, { recursive: true, force: true }))
  return path
}

/** Killed when the test is over, whatever became of it. */
const start = (options: Options): Venom => {
  const venom = new Venom(options)
  ends.push(async () => {
    venom.kill("SIGKILL")
    await venom.ended()
  })
  return venom
}

/** Runs the program to its end. */
export const run = (args: ReadonlyArray<string>, options: Omit<Options, "args"> = {}): Promise<Ended> =>
  start({ args, ...options }).ended()

/** Serves, on a free port and with its state in a directory of its own where nothing else is said. */
export const serve = async (args: ReadonlyArray<string> = [], options: Omit<Options, "args"> = {}): Promise<Venom> => {
  const cwd = options.cwd ?? (await directory())
  const store = await Effect.runPromise(storeOf(cwd))
  return start({ args: ["serve", ...args], cwd, env: { VENOM_PORT: "0", ...store, ...options.env } })
}
