import { spawn } from "node:child_process"
import { once } from "node:events"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("../../../src/main.ts", import.meta.url))

export interface Heard {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

/** What a person types who has `venom` on the path, and a service at the URL. */
export class Shell {
  readonly #options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv }

  constructor(options: { readonly cwd: string; readonly url: string; readonly env?: NodeJS.ProcessEnv }) {
    this.#options = {
      cwd: options.cwd,
      env: { PATH: process.env["PATH"], TERM: "xterm", VENOM_URL: options.url, ...options.env }
    }
  }

  /** In pipes: nothing is a terminal. */
  run(script: string, input = ""): Promise<Heard> {
    return this.#heard("sh", ["-c", `venom() { ${quoted(process.execPath)} ${quoted(main)} "$@"; }\n${script}`], input)
  }

  /** In a pseudo terminal of 100 columns, with both outputs on it; `input` is typed. */
  async terminal(args: string, input = "", columns = 100): Promise<Heard> {
    const command = `stty cols ${columns} rows 24; ${quoted(process.execPath)} ${quoted(main)} ${args}`
    const heard = await this.#heard("script", ["-qec", command, "/dev/null"], input)
    return { ...heard, stdout: heard.stdout.replaceAll("\r\n", "\n") }
  }

  async #heard(program: string, args: ReadonlyArray<string>, input: string): Promise<Heard> {
    const child = spawn(program, args, { ...this.#options, stdio: ["pipe", "pipe", "pipe"] })
    child.stdin.on("error", () => {})
    // a terminal stays open while something may be typed
    if (program === "sh") child.stdin.end(input)
    else child.stdin.write(input)
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")])
    child.stdin.destroy()
    return { code, stdout, stderr }
  }
}
