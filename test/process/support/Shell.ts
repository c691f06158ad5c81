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

interface Typed {
  readonly after: RegExp
  readonly type: string
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

  /** In a pseudo terminal of 100 columns, with both outputs on it; keys are typed at once, or after something shows. */
  async terminal(args: string, input: string | Typed = ""): Promise<Heard> {
    const command = `stty cols 100 rows 24; exec ${quoted(process.execPath)} ${quoted(main)} ${args}`
    const heard = await this.#heard("script", ["-qec", command, "/dev/null"], input)
    return { ...heard, stdout: heard.stdout.replaceAll("\r\n", "\n") }
  }

  async #heard(program: string, args: ReadonlyArray<string>, input: string | Typed): Promise<Heard> {
    const child = spawn(program, args, { ...this.#options, stdio: ["pipe", "pipe", "pipe"] })
    child.stdin.on("error", () => {})
    if (typeof input !== "string") {
      let shown = ""
      child.stdout.on("data", (data) => {
        if (!input.after.test(shown) && input.after.test((shown += `${data}`))) child.stdin.write(input.type)
      })
    } else if (program === "sh") child.stdin.end(input)
    // a terminal stays open while something may be typed
    else child.stdin.write(input)
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")])
    child.stdin.destroy()
    return { code, stdout, stderr }
  }
}
