import { once } from "node:events"
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { join } from "node:path"
import { setTimeout as later } from "node:timers/promises"
import { assert, describe, it } from "vitest"
import * as Dump from "../../src/adapters/file/Dump.ts"
import { tasks } from "../server/support.ts"
import { Shell } from "./support/Shell.ts"
import { directory, serve } from "./venom.ts"

/** A data directory that takes some seconds to read. */
const large = async (count = 120_000) => {
  const cwd = await directory()
  await mkdir(join(cwd, "data", "memory"), { recursive: true })
  const parts = Dump.text({ sequence: 1, tasks: tasks(count, () => ({ content: "x".repeat(500) })), entries: [] }, 0)
  await writeFile(join(cwd, "data", "memory", "state_dump.json"), parts)
  return cwd
}

const listening = async () => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  return { server, port: typeof address === "object" && address !== null ? address.port : assert.fail("no port") }
}

const freePort = async () => {
  const { port, server } = await listening()
  server.close()
  await once(server, "close")
  return port
}

const env = { VENOM_SIMULATED_DURATION: "1 hour" }

interface Probe {
  readonly status: number
  readonly detail: string
}

/** What a probe is told from the first answer on until it is told that all is well, or until `enough`. */
const probed = async (url: string, enough: (probe: Probe) => boolean = () => false): Promise<ReadonlyArray<Probe>> => {
  const probes: Array<Probe> = []
  for (;;) {
    // refused until the process has come so far
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined)
    if (answer === undefined) {
      assert.isEmpty(probes, "it was there, and was gone again")
      await later(5)
      continue
    }
    const { detail = "" } = JSON.parse(await answer.text())
    const probe = { status: answer.status, detail }
    probes.push(probe)
    if (answer.status === 200 || enough(probe)) return probes
  }
}

const isReading = ({ detail }: Probe) => /^recovering \d/.test(detail)

describe("while a large state is read", () => {
  it("probes are told how far it is, and nothing is served before its time", async () => {
    const cwd = await large()
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const venom = await serve(["--port", `${port}`], { cwd, env })
    await probed(url, isReading)

    assert.strictEqual((await fetch(`${url}/health/live`)).status, 200)
    const asked = [
      ["GET", "/api/v1/tasks"],
      ["POST", "/api/v1/tasks"],
      ["GET", "/api/v1/events"],
      ["GET", "/metrics"],
      ["DELETE", "/nope"]
    ] as const
    for (const [method, path] of asked) {
      const body =
        method === "POST" ? { body: `{"content":"too early"}`, headers: { "content-type": "application/json" } } : {}
      const answer = await fetch(`${url}${path}`, { method, ...body })
      assert.strictEqual(answer.status, 503, path)
      assert.strictEqual(answer.headers.get("retry-after"), "1")
      assert.strictEqual(answer.headers.get("content-type"), "application/problem+json")
      const problem = JSON.parse(await answer.text())
      assert.deepInclude(problem, { type: "urn:venom:problem:unavailable", status: 503, instance: path })
      assert.match(problem.detail, /^Venom is starting: recovering/)
    }

    const probes = await probed(url)
    assert.strictEqual(probes.at(-1)?.status, 200)
    const told = probes.filter(isReading).map(({ detail }) => {
      const [, done = "", total = ""] = /^recovering ([\d,]+) of ([\d,]+) records$/.exec(detail) ?? []
      assert.strictEqual(total, "120,000")
      return Number(done.replaceAll(",", ""))
    })
    assert.isAbove(new Set(told).size, 5)
    assert.deepStrictEqual(
      told,
      told.toSorted((a, b) => a - b)
    )
    assert.strictEqual((await fetch(`${url}/api/v1/tasks?limit=1`)).status, 200)
    assert.notInclude(await (await fetch(`${url}/api/v1/tasks?q=early`)).text(), "too early")
    await venom.url()
  })

  it("a stop ends it at once, and nothing has changed", async () => {
    const cwd = await large()
    const port = await freePort()
    const before = await readFile(join(cwd, "data", "memory", "state_dump.json"))
    const venom = await serve(["--port", `${port}`], { cwd, env })
    await probed(`http://127.0.0.1:${port}`, isReading)
    venom.kill("SIGTERM")
    assert.deepInclude(await venom.ended(), { code: 0, signal: null })
    assert.deepStrictEqual(await readdir(join(cwd, "data", "memory")), ["state_dump.json"])
    assert.isTrue(before.equals(await readFile(join(cwd, "data", "memory", "state_dump.json"))))
    assert.isEmpty(venom.log.filter(({ level }) => level === "error" || level === "fatal"))
  })

  it("a terminal shows a bar, and leaves no trace of it", async () => {
    const cwd = await large(300_000)
    const shell = new Shell({ cwd, url: "", env: { ...env, VENOM_PORT: "0" } })
    const { code, stdout } = await shell.terminal("serve", { after: /serves http/, type: "\u0003" })
    assert.strictEqual(code, 0, stdout)
    assert.match(stdout, /recovering {2}[█░]{24} {2}\d+ % {2}[\d,]+ of 300,000/)
    // what is seen in the end: of each line the part after it was last cleared
    const lines = stdout.split("\n").map((line) => line.split("\r\u001b[K").at(-1) ?? "")
    assert.isEmpty(lines.filter((line) => /[█░]/.test(line)))
    assert.isNotEmpty(lines.filter((line) => /Recovered 300000 tasks/.test(line)))
  })
})

it("a port in use is told before the data directory is touched", async () => {
  const cwd = await directory()
  const { port, server } = await listening()
  const venom = await serve(["--port", `${port}`], { cwd })
  assert.strictEqual((await venom.ended()).code, 1)
  assert.match(`${venom.log.at(-1)?.["message"]}`, /the port is in use/)
  assert.deepStrictEqual(await readdir(cwd), [])
  server.close()
})
