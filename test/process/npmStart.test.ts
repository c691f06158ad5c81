import { spawn } from "node:child_process"
import { EventEmitter, once } from "node:events"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"
import { directory } from "./venom.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const environment = Object.entries(process.env).filter(([name]) => !/^(VENOM_|NODE_OPTIONS$|npm_|VITEST)/.test(name))

/** `npm start` in a process group of its own, as a terminal would have it. */
const npmStart = (env: Readonly<Record<string, string>>) => {
  const child = spawn("npm", ["start"], {
    cwd: root,
    detached: true,
    env: { ...Object.fromEntries(environment), VENOM_PORT: "0", ...env },
    stdio: ["ignore", "ignore", "pipe"]
  })
  const heard = new EventEmitter()
  let stderr = ""
  child.once("exit", () => heard.emit("more"))
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text
    heard.emit("more")
  })
  return {
    pid: child.pid ?? 0,
    /** After the last process of the group has let go of stderr. */
    ended: once(child, "close").then(([code]) => code),
    said: async (text: RegExp) => {
      for (;;) {
        const found = text.exec(stderr)
        if (found !== null) return found
        if (child.exitCode !== null || child.signalCode !== null) assert.fail(`npm start ended: ${stderr}`)
        await once(heard, "more")
      }
    }
  }
}

describe("npm start", () => {
  it.each([
    { how: "a signal to npm alone, as a supervisor sends it", signal: "SIGTERM", group: false },
    { how: "Ctrl-C, which reaches npm and Venom, and Venom once more from npm", signal: "SIGINT", group: true }
  ] as const)("stops in order on $how", async ({ group, signal }) => {
    const cwd = await directory()
    const end = join(cwd, "end")
    const npm = npmStart({
      VENOM_DATA_DIR: cwd,
      VENOM_RUNNER: "command",
      VENOM_COMMAND: `sh -c 'echo ready >&2; until [ -e ${end} ]; do sleep 0.02; done'`
    })
    try {
      const [, url] = await npm.said(/"url":"([^"]+)"/)
      const body = JSON.stringify({ content: "x" })
      const headers = { "content-type": "application/json" }
      const submitted = await fetch(`${url}/api/v1/tasks`, { method: "POST", headers, body })
      const task = `${url}${submitted.headers.get("location")}`
      while (!(await (await fetch(task)).text()).includes(" ready"));
      process.kill(group ? -npm.pid : npm.pid, signal)
      await npm.said(/Draining/)
      await writeFile(end, "")
      assert.strictEqual(await npm.ended, 0)
    } finally {
      await writeFile(end, "")
      try {
        process.kill(-npm.pid, "SIGKILL")
      } catch {
        // it has ended
      }
    }
  })
})
