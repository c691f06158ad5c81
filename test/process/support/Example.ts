import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

export interface Example {
  readonly process: ChildProcess
  readonly url: string
}

/** An example that serves, as a process on a free port. Who starts one ends it. */
export const start = async (name: string, cwd: string): Promise<Example> => {
  const main = fileURLToPath(new URL(`../../../examples/${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, [main], {
    cwd,
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"]
  })
  let said = ""
  child.stdout.setEncoding("utf8").on("data", (text) => (said += text))
  const ended = once(child, "close").then(() => false)
  for (;;) {
    const [url] = /http:\/\/[\d.]+:\d+/.exec(said) ?? []
    if (url !== undefined) return { process: child, url }
    const more = once(child.stdout, "data").then(() => true)
    if (!(await Promise.race([more, ended]))) throw new Error(`examples/${name} ended before it served:\n${said}`)
  }
}

export const end = async ({ process: child }: Example, signal: NodeJS.Signals): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, "close")
}
