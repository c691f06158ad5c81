import { once } from "node:events"
import { access, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { join } from "node:path"
import { Record, Schema } from "effect"
import { assert, describe, it } from "vitest"
import * as Table from "../../src/cli/SettingsTable.ts"
import { version } from "../../src/host/Version.ts"
import { directory, run, serve, type Venom } from "./venom.ts"

const Submitted = Schema.Struct({ task_id: Schema.String })
const Task = Schema.Struct({ status: Schema.String })

const submit = async (venom: Venom): Promise<string> => {
  const response = await fetch(`${await venom.url()}/api/v1/tasks`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ content: "x", max_attempts: 1 })
  })
  return Schema.decodeUnknownSync(Submitted)(await response.json()).task_id
}

const untilStatus = async (venom: Venom, id: string, status: string) => {
  const url = `${await venom.url()}/api/v1/tasks/${id}`
  for (;;) {
    const now = Schema.decodeUnknownSync(Task)(await (await fetch(url)).json()).status
    if (now === status) return
    assert.oneOf(now, ["PENDING", "PROCESSING"])
  }
}

const lines = (text: string) => text.split("\n").filter((line) => line !== "")

describe("help", () => {
  it("lists the commands, on stdout", async () => {
    const { code, stderr, stdout } = await run(["--help"])
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    for (const name of ["serve", "submit", "doctor"]) assert.match(stdout, new RegExp(`^  ${name} `, "m"))
  })

  it("of serve lists every setting with its flag, its variable and its default", async () => {
    const { code, stderr, stdout } = await run(["serve", "--help"])
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    for (const [key, row] of Record.toEntries(Table.table)) {
      const told: Table.Row = row
      const line = lines(stdout).find((one) => one.includes(`--${Table.flag(key)} `)) ?? ""
      assert.include(line, `[${Table.variable(key)}, default: ${told.absent ?? told.default}]`)
    }
  })

  it("is not needed to know the version", async () => {
    const { code, stderr, stdout } = await run(["--version"])
    assert.deepStrictEqual({ code, stderr, stdout }, { code: 0, stderr: "", stdout: `venom v${version}\n` })
  })
})

describe("wrong usage ends with 2 and says why on stderr alone", () => {
  it.each([
    { args: ["serve", "--bogus"], says: "--bogus" },
    { args: ["srve"], says: 'Unknown subcommand "srve"' },
    { args: ["serve", "extra"], says: '"extra"' },
    { args: ["serve", "--port"], says: "--port" },
    { args: [], says: "USAGE" }
  ])("venom $args", async ({ args, says }) => {
    const { code, stderr, stdout } = await run(args)
    assert.deepStrictEqual({ code, stdout }, { code: 2, stdout: "" })
    assert.include(stderr, says)
  })
})

describe("wrong settings end with 2, a line for each, before anything is touched", () => {
  it.each([
    { args: ["--port", "x", "--fsync", "never"], says: [/--port "x": /, /--fsync "never": /] },
    { args: ["--store", "postgres"], says: [/needs a database/] },
    { args: ["--runner", "command"], says: [/needs a command/] },
    { args: ["--command", "cat"], says: [/the runner is simulated/] },
    { args: ["--host", "0.0.0.0"], says: [/--allow-open/] },
    { args: ["--runner", "command", "--command", "echo 'x"], says: [/the command: .*quote/] },
    { args: ["--runner", "command", "--command", "no-such-program"], says: [/the command: .*no-such-program/] }
  ])("$args", async ({ args, says }) => {
    const cwd = await directory()
    const { code, stderr, stdout } = await run(["serve", ...args], { cwd })
    assert.deepStrictEqual({ code, stdout }, { code: 2, stdout: "" })
    const told = lines(stderr)
    assert.lengthOf(told, says.length)
    says.forEach((line, index) => assert.match(told[index] ?? "", line))
    assert.isFalse(
      await access(join(cwd, "data")).then(
        () => true,
        () => false
      )
    )
  })

  it("from the environment too", async () => {
    const { code, stderr } = await run(["serve"], { env: { VENOM_DATABASE_URL: "postgres://a:b@localhost/x" } })
    assert.strictEqual(code, 2)
    assert.match(stderr, /^venom serve: a database is given, but the store is file: .*\n$/)
  })
})

describe("the log", () => {
  it("is JSON lines on stderr, and says where it serves what", async () => {
    const cwd = await directory()
    const venom = await serve(["--concurrency", "3"], { cwd, env: { VENOM_PROT: "1" } })
    const { time, url, ...event } = await venom.heard(/serves/)
    assert.deepStrictEqual(event, {
      level: "info",
      message: `Venom ${version} serves ${url}`,
      version,
      store: "file",
      data_dir: join(cwd, "data/memory"),
      runner: "simulated",
      concurrency: 3
    })
    assert.match(`${time}`, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    assert.strictEqual((await fetch(`${url}/health/ready`)).status, 200)
    assert.strictEqual((await venom.heard(/VENOM_PROT/))["level"], "warn")
    venom.kill("SIGTERM")
    const { code, stdout } = await venom.ended()
    assert.deepStrictEqual({ code, stdout }, { code: 0, stdout: "" })
    assert.isAbove(venom.log.length, 1)
  })

  it("carries task and attempt on what concerns a task", async () => {
    const venom = await serve(["--store", "memory", "--runner", "command", "--command", "false"])
    const id = await submit(venom)
    const { attempt, level, task_id } = await venom.heard(/failed for good/)
    assert.deepStrictEqual({ task_id, attempt, level }, { task_id: id, attempt: 1, level: "warn" })
  })

  it("is pretty where that is asked for", async () => {
    const { stderr } = await run(["serve", "--data-dir", "/dev/null", "--log-format", "pretty"])
    assert.match(stderr, /FATAL.*data directory/)
  })

  it("is silent where that is asked for", async () => {
    const { code, stderr } = await run(["serve", "--data-dir", "/dev/null", "--log-level", "none"])
    assert.deepStrictEqual({ code, stderr }, { code: 3, stderr: "" })
  })
})

describe("a signal", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("%s stops it in order, with 0", async (signal) => {
    const cwd = await directory()
    const venom = await serve(["--simulated-duration", "0 seconds"], { cwd })
    await untilStatus(venom, await submit(venom), "COMPLETED")
    venom.kill(signal)
    assert.strictEqual((await venom.ended()).code, 0)
    await access(join(cwd, "data/memory/state_dump.json"))
  })

  /** Asked to stop while an attempt runs that may take its time. */
  const draining = async (
    args: ReadonlyArray<string>,
    options: { cwd?: string; env?: Record<string, string> } = {}
  ) => {
    const venom = await serve([...args, "--shutdown-grace", "1 hour"], options)
    await untilStatus(venom, await submit(venom), "PROCESSING")
    venom.kill("SIGTERM")
    await venom.heard(/Draining/)
    return venom
  }

  it.each([
    { signal: "SIGTERM", exits: 143 },
    { signal: "SIGINT", exits: 130 }
  ] as const)("that comes second, $signal, ends it at once with $exits", async ({ exits, signal }) => {
    const venom = await draining(["--simulated-duration", "1 hour"])
    venom.kill(signal)
    assert.strictEqual((await venom.ended()).code, exits)
  })

  it("that npm hands on is not a second one", async () => {
    const cwd = await directory()
    const untilToldToEnd = ["--runner", "command", "--command", "sh -c 'until [ -e end ]; do sleep 0.02; done'"]
    const venom = await draining(untilToldToEnd, { cwd, env: { npm_lifecycle_event: "start" } })
    venom.kill("SIGTERM")
    await writeFile(join(cwd, "end"), "")
    assert.strictEqual((await venom.ended()).code, 0)
  })
})

describe("it does not start", () => {
  /** One event, fatal, and no stack. */
  const fatal = (venom: Venom) => {
    const [event, ...others] = venom.log.filter(({ level }) => level === "fatal")
    assert.deepStrictEqual(others, [])
    assert.notProperty(event, "cause")
    return `${event?.["message"]}`
  }

  it("with 3, where another process holds the data directory", async () => {
    const cwd = await directory()
    const first = await serve([], { cwd })
    const url = await first.url()
    const second = await serve([], { cwd })
    assert.strictEqual((await second.ended()).code, 3)
    assert.match(fatal(second), new RegExp(`data/memory.*${first.child.pid}`))
    assert.strictEqual((await fetch(`${url}/health/ready`)).status, 200)
  })

  it("with 3, where the data directory is none", async () => {
    const cwd = await directory()
    await writeFile(join(cwd, "data"), "")
    const venom = await serve([], { cwd })
    assert.strictEqual((await venom.ended()).code, 3)
    assert.include(fatal(venom), "data/memory")
  })

  it("with 1, where the port is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1")
    await once(taken, "listening")
    const address = taken.address()
    const port = typeof address === "object" ? `${address?.port}` : ""
    const venom = await serve(["--port", port, "--store", "memory"])
    assert.strictEqual((await venom.ended()).code, 1)
    assert.strictEqual(fatal(venom), `Cannot listen on 127.0.0.1 port ${port}: the port is in use`)
    taken.close()
  })
})
