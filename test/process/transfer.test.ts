import { createHash } from "node:crypto"
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { Shell } from "./support/Shell.ts"
import * as Dump from "../../src/adapters/file/Dump.ts"
import { tasks } from "../server/support.ts"
import { directory, run, serve } from "./venom.ts"

/** A directory with tasks in every status, a schedule, and a limit, and its service stopped. */
const begin = async () => {
  const cwd = await directory()
  const env = { VENOM_RUNNER: "command", VENOM_COMMAND: "sh -c 'read line; echo $line; test $line != bad'" }
  const venom = await serve([], { cwd, env })
  const shell = new Shell({ cwd, url: await venom.url() })
  const { code } = await shell.run(`
    venom submit --wait good
    venom submit --wait bad --max-attempts 1
    venom submit later --delay '1 hour' --tag a
    echo '{"cron":"0 3 * * *","task":{"content":"report"}}' | venom schedules put nightly
    venom pause email`)
  assert.strictEqual(code, 0)
  return { cwd, env, shell, venom }
}

describe("venom export and venom import", () => {
  it("carry everything: the new directory serves the same", async () => {
    const { cwd, env, shell, venom } = await begin()
    const before = await shell.run("venom list --all --json; venom schedules list --json; venom queue --json")
    const exported = await shell.run("venom export all.export --json")
    assert.deepInclude(exported, { code: 0, stderr: "" })
    const bytes = await readFile(join(cwd, "all.export"))
    const told = JSON.parse(exported.stdout)
    assert.deepInclude(told, { tasks: 3, bytes: bytes.length })
    assert.strictEqual(told.sha256, createHash("sha256").update(bytes).digest("hex"))
    venom.kill("SIGTERM")
    await venom.ended()
    const imported = await shell.run("venom import all.export --data-dir other --json")
    assert.deepStrictEqual(JSON.parse(imported.stdout), told)
    const again = await serve([], { cwd, env: { ...env, VENOM_DATA_DIR: "other" } })
    const other = new Shell({ cwd, url: await again.url() })
    const after = await other.run("venom list --all --json; venom schedules list --json; venom queue --json")
    assert.strictEqual(after.stdout, before.stdout)
  })

  it("need no more memory for a large directory after an orderly stop", async () => {
    const cwd = await directory()
    const data = join(cwd, "data", "memory")
    await mkdir(data, { recursive: true })
    const many = tasks(60_000, () => ({ content: "x".repeat(1000) }))
    const parts = Dump.text({ sequence: 1, tasks: many, entries: [] }, 0)
    await writeFile(join(data, "state_dump.json"), parts)
    // each line of it alone: all of them are twice what the program may have
    const { size } = await stat(join(data, "state_dump.json"))
    assert.isAbove(size, 64 * 2 ** 20)
    const env = { NODE_OPTIONS: "--max-old-space-size=48" }
    const exported = await run(["export", "all.export", "--json"], { cwd, env })
    assert.strictEqual(exported.code, 0, exported.stderr)
    assert.deepInclude(JSON.parse(exported.stdout), { tasks: 60_000, bytes: size })
    const imported = await run(["import", "all.export", "--data-dir", "other", "--json"], { cwd, env })
    assert.strictEqual(imported.stdout, exported.stdout, imported.stderr)
  })

  it("take the journal too where the service did not stop in order", async () => {
    const { cwd, shell, venom } = await begin()
    venom.kill("SIGKILL")
    await venom.ended()
    const exported = await shell.run("venom export all.export --json")
    assert.deepInclude(JSON.parse(exported.stdout), { tasks: 3 })
    assert.include(await readFile(join(cwd, "all.export"), "utf8"), '"content":"later"')
  })

  it("refuse what is there already, and what is not whole", async () => {
    const { cwd, shell } = await begin()
    assert.strictEqual((await shell.run("venom export all.export")).code, 0)
    const twice = await shell.run("venom export all.export")
    assert.strictEqual(twice.code, 3)
    assert.match(twice.stderr, /nothing is written over it/)
    await mkdir(join(cwd, "full"))
    await writeFile(join(cwd, "full", "journal-000001"), "")
    const full = await shell.run("venom import all.export --data-dir full")
    assert.strictEqual(full.code, 3)
    assert.match(full.stderr, /holds a state already/)
    const whole = await readFile(join(cwd, "all.export"), "utf8")
    const damaged = [
      whole.replace("later", "sooner"),
      whole.slice(0, -1000),
      whole.replace(/^\{"id".*\n/m, ""),
      `${whole}more\n`,
      "",
      "{}\n"
    ]
    for (const text of damaged) {
      await writeFile(join(cwd, "damaged.export"), text)
      const refused = await shell.run("venom import damaged.export --data-dir new")
      assert.strictEqual(refused.code, 3, text.slice(-100))
      assert.notInclude(await readdir(join(cwd, "new")), "state_dump.json")
    }
  })

  it("refuse what a newer version has written, and say so", async () => {
    const { cwd, shell } = await begin()
    assert.strictEqual((await shell.run("venom export all.export")).code, 0)
    const whole = await readFile(join(cwd, "all.export"), "utf8")
    await writeFile(join(cwd, "newer.export"), whole.replace(`"version":1`, `"version":2`))
    const refused = await shell.run("venom import newer.export --data-dir new")
    assert.strictEqual(refused.code, 3)
    assert.match(refused.stderr, /newer\.export.*it was written by a newer version of Venom \(format 2\)/)
    assert.notInclude(await readdir(join(cwd, "new")), "state_dump.json")
  })

  it("of a service is a line for each task", async () => {
    const { cwd, shell } = await begin()
    const { code, stdout } = await shell.run("venom export tasks.jsonl --service")
    assert.deepStrictEqual({ code, stdout }, { code: 0, stdout: "3 tasks exported\n" })
    const lines = (await readFile(join(cwd, "tasks.jsonl"), "utf8")).trimEnd().split("\n")
    assert.deepStrictEqual(
      lines.map((line) => JSON.parse(line).content),
      ["later", "bad", "good"]
    )
    assert.strictEqual((await stat(join(cwd, "tasks.jsonl"))).mode & 0o777, 0o600)
  })
})
