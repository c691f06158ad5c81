import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach } from "vitest"

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url))

/** The environment of these tests without what would reach into the program. */
const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(VENOM_|NODE_OPTIONS$|npm_|VITEST|NODE_V8)/.test(name))
)

export interface Options {
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

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

/** The real program as a process; killed when the test is over, whatever became of it. */
export class Venom {
  readonly child: ChildProcess
  readonly #ended: Promise<readonly [number | null, NodeJS.Signals | null]>
  #stdout = ""
  #stderr = ""
  #hear = () => {}

  constructor({ args, cwd, env }: Options) {
    this.child = spawn(process.execPath, [main, ...args], {
      cwd,
      env: { ...clean, ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    this.#ended = once(this.child, "close").then(([code, signal]) => [code, signal])
    this.child.stdout?.setEncoding("utf8").on("data", (text) => (this.#stdout += text))
    this.child.stderr?.setEncoding("utf8").on("data", (text) => {
      this.#stderr += text
      this.#hear()
    })
    ends.push(async () => {
      this.kill("SIGKILL")
      await this.#ended
    })
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Its log so far, an object for each event. Every whole line of stderr must be one. */
  get log(): ReadonlyArray<Record<string, unknown>> {
    return this.#stderr
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  async ended(): Promise<Ended> {
    const [code, signal] = await this.#ended
    return { code, signal, stdout: this.#stdout, stderr: this.#stderr }
  }

  /** The first event of the log whose message matches; fails if the program ends without it. */
  async heard(message: RegExp): Promise<Record<string, unknown>> {
    let over = false
    void this.#ended.then(() => {
      over = true
      this.#hear()
    })
    for (;;) {
      const found = this.log.find((event) => message.test(`${event["message"]}`))
      if (found !== undefined) return found
      if (over) throw new Error(`The program ended without saying ${message}:\n${this.#stderr}`)
      await new Promise<void>((resolve) => (this.#hear = resolve))
    }
  }

  /** Where it serves. */
  async url(): Promise<string> {
    return `${(await this.heard(/^Venom .* serves/))["url"]}`
  }
}

/** Runs the program to its end. */
export const run = (args: ReadonlyArray<string>, options: Omit<Options, "args"> = {}): Promise<Ended> =>
  new Venom({ args, ...options }).ended()

/** Serves, on a free port and with its state in a directory of its own where nothing else is said. */
export const serve = async (args: ReadonlyArray<string> = [], options: Omit<Options, "args"> = {}): Promise<Venom> =>
  new Venom({
    args: ["serve", ...args],
    cwd: options.cwd ?? (await directory()),
    env: { VENOM_PORT: "0", ...options.env }
  })
