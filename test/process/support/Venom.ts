import { type ChildProcess, spawn } from "node:child_process"
import { EventEmitter, once } from "node:events"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("../../../src/main.ts", import.meta.url))

/** The environment of these tests without what would reach into the program. */
const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(VENOM_|NODE_OPTIONS$|npm_|VITEST|NODE_V8)/.test(name))
)

export interface Options {
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** What runs it, where it is not run as it is: a command before its own. */
  readonly within?: ReadonlyArray<string>
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** An event of the log. */
export type Event = Readonly<Record<string, unknown>>

/** The real program as a process. Who starts one ends it. */
export class Venom {
  readonly child: ChildProcess
  readonly #ended: Promise<readonly [number | null, NodeJS.Signals | null]>
  readonly #heard = new EventEmitter().setMaxListeners(0)
  #over = false
  #stdout = ""
  #stderr = ""

  constructor({ args, cwd, env, within = [] }: Options) {
    const [program = process.execPath, ...before] = [...within, process.execPath]
    this.child = spawn(program, [...before, main, ...args], {
      cwd,
      env: { ...clean, ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    this.#ended = once(this.child, "close").then(([code, signal]) => {
      this.#over = true
      this.#heard.emit("more")
      return [code, signal]
    })
    this.child.stdout?.setEncoding("utf8").on("data", (text) => (this.#stdout += text))
    this.child.stderr?.setEncoding("utf8").on("data", (text) => {
      this.#stderr += text
      this.#heard.emit("more")
    })
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Its log so far, an object for each event. Every whole line of stderr must be one. */
  get log(): ReadonlyArray<Event> {
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
  async heard(message: RegExp): Promise<Event> {
    for (;;) {
      const found = this.log.find((event) => message.test(`${event["message"]}`))
      if (found !== undefined) return found
      if (this.#over) throw new Error(`The program ended without saying ${message}:\n${this.#stderr}`)
      await once(this.#heard, "more")
    }
  }

  /** Where it serves. */
  async url(): Promise<string> {
    return `${(await this.heard(/^Venom .* serves/))["url"]}`
  }
}
