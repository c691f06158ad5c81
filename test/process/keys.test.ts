import { stat } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { directory, run, serve } from "./venom.ts"

const lines = (text: string) => text.trim().split("\n")

/** Asks again until the service, which looks each second, has noticed. */
const untilStatus = async (url: string, key: string, status: number) => {
  for (;;) {
    const answer = await fetch(`${url}/api/v1/queue`, { headers: { authorization: `Bearer ${key}` } })
    await answer.arrayBuffer()
    if (answer.status === status) return
  }
}

describe("venom keys", () => {
  it("locks a service, lets in who has one, and takes effect while it runs", async () => {
    const data = join(await directory(), "data")
    const keys = (...args: ReadonlyArray<string>) => run(["keys", ...args, "--data-dir", data])
    const none = await keys("list")
    assert.include(none.stderr, "no key is needed")

    const admin = await keys("create", "--name", "on call", "--scope", "admin")
    assert.strictEqual(admin.code, 0, admin.stderr)
    const key = admin.stdout.trim()
    assert.match(key, /^venom_[0-9a-z]{12}_[\w-]{43}$/)
    assert.include(admin.stderr, "shown this once")
    assert.strictEqual((await stat(join(data, "keys"))).mode & 0o777, 0o700)

    // beyond this machine: it may, since a key is needed
    const venom = await serve(["--host", "0.0.0.0", "--data-dir", data])
    const url = (await venom.url()).replace("0.0.0.0", "127.0.0.1")
    const env = { VENOM_URL: url }
    const refused = await run(["queue"], { env })
    assert.strictEqual(refused.code, 1)
    assert.include(refused.stderr, "VENOM_API_KEY")
    assert.strictEqual((await run(["queue"], { env: { ...env, VENOM_API_KEY: key } })).code, 0)

    const reader = (await keys("create", "--name", "grafana", "--scope", "read", "--expires", "90 days")).stdout.trim()
    await untilStatus(url, reader, 200)
    const submit = await run(["submit", "x"], { env: { ...env, VENOM_API_KEY: reader } })
    assert.strictEqual(submit.code, 1)
    assert.include(submit.stderr, "scope write")

    const listed = lines((await keys("list")).stdout)
    assert.lengthOf(listed, 2)
    assert.include(listed[0], "on call\tadmin")
    assert.include(listed[1], "grafana\tread")
    assert.notInclude(listed.join("\n"), key.slice(-43))

    const [id = ""] = (listed[1] ?? "").split("\t")
    assert.strictEqual((await keys("revoke", id)).code, 0)
    await untilStatus(url, reader, 401)
    await untilStatus(url, key, 200)
    const again = await keys("revoke", id)
    assert.strictEqual(again.code, 4)
    assert.include(again.stderr, `has no key ${id}`)
    assert.strictEqual((await keys("revoke", "../../etc/passwd")).code, 2)
  })

  it("is not needed for the one key of the settings, and no secret is told of it", async () => {
    const key = "k".repeat(20) + "1234567890abcdef"
    const venom = await serve([], { env: { VENOM_API_KEY: key, VENOM_LOG_LEVEL: "trace" } })
    const url = await venom.url()
    assert.strictEqual((await fetch(`${url}/api/v1/tasks`)).status, 401)
    assert.strictEqual((await run(["list"], { env: { VENOM_URL: url, VENOM_API_KEY: key } })).code, 0)
    venom.kill("SIGTERM")
    const { code, stderr } = await venom.ended()
    assert.strictEqual(code, 0)
    assert.notInclude(stderr, key)

    const short = await run(["serve"], { env: { VENOM_API_KEY: "tooshort-secret" } })
    assert.strictEqual(short.code, 2)
    assert.include(short.stderr, "32 characters")
    assert.notInclude(short.stderr, "tooshort")
  })
})
