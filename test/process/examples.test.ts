import { execFile } from "node:child_process"
import { once } from "node:events"
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { afterEach } from "vitest"
import * as Postgres from "../support/Postgres.ts"
import * as Example from "./support/Example.ts"
import { directory, run as ask, serve } from "./venom.ts"

const run = promisify(execFile)
const pathOf = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))

const started: Array<Example.Example> = []
afterEach(() => Promise.all(started.splice(0).map((example) => Example.end(example, "SIGKILL"))))

describe("examples/embed", () => {
  it("runs a task and prints it", async () => {
    const { stdout } = await run(process.execPath, [pathOf("examples/embed/main.ts")], { cwd: await directory() })
    assert.match(stdout, /status: 'COMPLETED',\s+result: 'HELLO'/)
  })
})

describe("examples/postgres", () => {
  it.live("runs a task whose state is in a database", () =>
    Effect.gen(function* () {
      const url = yield* (yield* Postgres.make()).database
      const env = { ...process.env, DATABASE_URL: url }
      const { stdout } = yield* Effect.promise(() =>
        run(process.execPath, [pathOf("examples/postgres/main.ts")], { env })
      )
      assert.match(stdout, /^COMPLETED HELLO$/m)
    })
  )
})

describe("examples/typed", () => {
  it("says what docs/typed-tasks.md shows", async () => {
    const { stdout } = await run(process.execPath, [pathOf("examples/typed/main.ts")], { cwd: await directory() })
    const document = await readFile(pathOf("docs/typed-tasks.md"), "utf8")
    const [, shown] = /^<!-- output of examples\/typed\/main.ts -->\n```text\n(.*?)^```$/ms.exec(document) ?? []
    // the log stands there too
    assert.strictEqual(stdout.replaceAll(/^\[.*\n/gm, ""), shown)
  })
})

describe("examples/typed, from another process", () => {
  it("submits and awaits over HTTP, a result and a failure of the type", async () => {
    const service = await Example.start("typed/serve", await directory())
    started.push(service)
    const env = { ...process.env, VENOM_URL: service.url }
    const { stdout } = await run(process.execPath, [pathOf("examples/typed/elsewhere.ts")], { env })
    assert.match(stdout, /^sent as mail-3 in \d{4}\nrefused with 550: no such mailbox\n$/)
  })
})

describe("examples/app", () => {
  const start = async (cwd: string) => {
    const app = await Example.start("app/main", cwd)
    started.push(app)
    return app
  }

  it("ships orders in its own database, by a queue under its own routes, across a kill -9", async () => {
    const cwd = await directory()
    const first = await start(cwd)
    const order = async (url: string, body: unknown) =>
      fetch(`${url}/orders`, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" }
      })
    const ordered = await order(first.url, { item: "a lamp" })
    assert.strictEqual(ordered.status, 202)
    const { id, task } = JSON.parse(await ordered.text())
    const shipped = await fetch(first.url + task, { headers: { prefer: "wait=20" } })
    assert.deepInclude(await shipped.json(), { status: "COMPLETED", result: `{"parcel":"parcel-of-${id}"}` })
    const looked = await fetch(`${first.url}/orders/${id}`)
    assert.deepStrictEqual(await looked.json(), { id, item: "a lamp", parcel: `parcel-of-${id}` })
    assert.strictEqual((await order(first.url, {})).status, 400)
    const problem = await fetch(`${first.url}/queue/api/v1/tasks/nobody`)
    assert.deepInclude(await problem.json(), { status: 400, instance: "/queue/api/v1/tasks/nobody" })

    const { stdout } = await ask(["types", "--json"], { env: { VENOM_URL: `${first.url}/queue` } })
    const [type] = JSON.parse(stdout)
    assert.deepInclude(type, { name: "ship-order", handled: true })
    assert.include(JSON.stringify(type.payload), '"orderId"')
    const table = await ask(["types"], { env: { VENOM_URL: `${first.url}/queue` } })
    assert.match(table.stdout, /^ship-order\tyes\tJSON\t/)

    await Example.end(first, "SIGKILL")
    // as if it had been killed between the two
    const database = new DatabaseSync(join(cwd, "data/orders.db"))
    database.exec("INSERT INTO orders (id, item) VALUES ('left', 'a chair')")
    database.close()
    const second = await start(cwd)
    assert.strictEqual((await fetch(second.url + task)).status, 200)
    assert.deepStrictEqual(await (await fetch(`${second.url}/orders/${id}`)).json(), {
      id,
      item: "a lamp",
      parcel: `parcel-of-${id}`
    })
    const tasks = await fetch(`${second.url}/queue/api/v1/tasks?q=left`)
    const [left] = JSON.parse(await tasks.text())
    await fetch(`${second.url}/queue/api/v1/tasks/${left.id}`, { headers: { prefer: "wait=20" } })
    assert.deepInclude(await (await fetch(`${second.url}/orders/left`)).json(), { parcel: "parcel-of-left" })
    await Example.end(second, "SIGTERM")
    assert.include(await readFile(join(cwd, "data/app/state_dump.json"), "utf8"), "ship-order")
  })
})

describe("examples/script", () => {
  const script = (url: string, ...args: ReadonlyArray<string>) =>
    run(process.execPath, [pathOf("examples/script/main.ts"), ...args], { env: { ...process.env, VENOM_URL: url } })

  it("submits once with one key, and waits", async () => {
    const venom = await serve([], { env: { VENOM_SIMULATED_DURATION: "10 millis" } })
    const url = await venom.url()
    const first = await script(url, "hello", "key-1")
    assert.match(first.stdout, /^submitted [0-9a-f-]{36}\nCOMPLETED simulated: 5 characters of content\n$/)
    assert.strictEqual((await script(url, "hello", "key-1")).stdout, first.stdout)
    assert.lengthOf(JSON.parse(await (await fetch(`${url}/api/v1/tasks`)).text()), 1)
  })

  it("asks again after Retry-After, with the same key", async () => {
    const keys: Array<unknown> = []
    const server = createServer((request, response) => {
      if (request.method === "GET") {
        return response.end(JSON.stringify({ id: "1", status: "COMPLETED", result: "done", failure: null }))
      }
      keys.push(request.headers["idempotency-key"])
      if (keys.length === 1) return response.writeHead(503, { "retry-after": "0" }).end()
      return response.writeHead(201).end(JSON.stringify({ task_id: "1" }))
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    const address = server.address()
    const port = typeof address === "object" ? address?.port : undefined
    const { stdout } = await script(`http://127.0.0.1:${port}`)
    server.close()
    assert.strictEqual(stdout, "submitted 1\nCOMPLETED done\n")
    assert.lengthOf(keys, 2)
    assert.strictEqual(keys[0], keys[1])
  })

  it("is what a route needs", async () => {
    const venom = await serve([], { env: { VENOM_SIMULATED_DURATION: "10 millis" } })
    const program = `
      const { POST } = await import(${JSON.stringify(pathOf("examples/script/route.ts"))})
      const answer = await POST(new Request("http://here/", { method: "POST", body: "hello" }))
      console.log(answer.status, (await answer.json()).result)`
    const env = { ...process.env, VENOM_URL: await venom.url() }
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], { env })
    assert.strictEqual(stdout, "200 simulated: 5 characters of content\n")
  })
})

describe("examples/terminal", () => {
  it("is a day's work against a real service", async () => {
    const cwd = await directory()
    const venom = await serve([], { cwd, env: { VENOM_SIMULATED_DURATION: "10 millis" } })
    await mkdir(join(cwd, "bin"))
    const program = join(cwd, "bin", "venom")
    await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${pathOf("src/main.ts")}' "$@"\n`)
    await chmod(program, 0o755)
    const env = { ...process.env, PATH: `${join(cwd, "bin")}:${process.env["PATH"]}`, VENOM_URL: await venom.url() }
    const { stdout } = await run("sh", [pathOf("examples/terminal/day.sh")], { cwd, env })
    assert.deepStrictEqual(stdout.trimEnd().split("\n"), [
      "simulated: 14 characters of content",
      "300",
      "PENDING\tType images is paused.",
      "not done: exit code 6",
      '"reason":"cancelled"',
      "attempt 1 completed",
      "nightly\t0 3 * * * Europe/Berlin",
      '"paused":false',
      "300",
      "300 tasks deleted"
    ])
  })
})
