import { once } from "node:events"
import { spawn } from "node:child_process"
import { access, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"
import { Shell } from "./support/Shell.ts"
import { directory, serve } from "./venom.ts"

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url))
const lines = (count: number) =>
  Array.from({ length: count }, (_, at) => `${JSON.stringify({ content: `number ${at}`, delay: "1 hour" })}\n`).join("")

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false
  )

const begin = async () => {
  const cwd = await directory()
  const venom = await serve([], { cwd, env: { VENOM_SIMULATED_DURATION: "0 seconds" } })
  return { cwd, url: await venom.url(), shell: new Shell({ cwd, url: await venom.url() }) }
}

describe("venom submit --file", () => {
  it("submits every line once, in its order, and leaves nothing beside the file", async () => {
    const { cwd, shell } = await begin()
    await writeFile(join(cwd, "tasks.jsonl"), `${lines(2500)}\n\n`)
    const { code, stderr, stdout } = await shell.run("venom submit --file tasks.jsonl")
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    const ids = stdout.trim().split("\n")
    assert.lengthOf(new Set(ids), 2500)
    const listed = (await shell.run("venom list --all | cut -f1,6")).stdout.trim().split("\n")
    assert.deepStrictEqual(
      listed.toReversed(),
      ids.map((id, at) => `${id}\tnumber ${at}`)
    )
    assert.isFalse(await isThere(join(cwd, "tasks.jsonl.place")))
  })

  it("names the line that is wrong, and sends nothing", async () => {
    const { cwd, shell } = await begin()
    await writeFile(join(cwd, "tasks.jsonl"), `${lines(1500)}{"content":"x","prioritty":1}\n`)
    const heard = await shell.run("venom submit --file tasks.jsonl")
    assert.deepInclude(heard, { code: 2, stdout: "" })
    assert.match(heard.stderr, /tasks\.jsonl, line 1501:\n {2}prioritty: /)
    assert.strictEqual((await shell.run("venom list --json")).stdout, "[]\n")
  })

  it("names the first twenty lines that are wrong, and how many more there are", async () => {
    const { cwd, shell } = await begin()
    const wrong = ['{"content":1,"priority":1000}', "x", '{"copy_of":"y"}', ...Array.from({ length: 20 }, () => "{}")]
    await writeFile(join(cwd, "tasks.jsonl"), ['{"content":"good"}', ...wrong].join("\n"))
    const heard = await shell.run("venom submit --file tasks.jsonl")
    assert.deepInclude(heard, { code: 2, stdout: "" })
    const lines = heard.stderr.trimEnd().split("\n")
    assert.deepStrictEqual(lines.slice(0, 2), ["tasks.jsonl, line 2:", "  content: Expected string"])
    assert.match(lines[2] ?? "", /^ {2}priority: /)
    assert.strictEqual(lines[3], "tasks.jsonl, line 3:")
    assert.match(lines[4] ?? "", /^ {2}Not valid JSON: /)
    assert.deepStrictEqual(lines.slice(5, 9), [
      "tasks.jsonl, line 4:",
      "  copy_of: Expected a UUID",
      "tasks.jsonl, line 5:",
      "  content: Missing"
    ])
    assert.deepStrictEqual(lines.slice(-2), ["and 3 more lines", "Nothing of the file has been submitted"])
  })

  it("goes on where it was killed, without doubles", async () => {
    const { cwd, shell, url } = await begin()
    const count = 30_000
    await writeFile(join(cwd, "tasks.jsonl"), lines(count))
    const killed = spawn(process.execPath, [main, "submit", "--file", "tasks.jsonl"], {
      cwd,
      env: { ...process.env, VENOM_URL: url },
      stdio: ["ignore", "pipe", "ignore"]
    })
    // the answer of a chunk has come: the next is on its way
    await once(killed.stdout, "data")
    killed.kill("SIGKILL")
    await once(killed, "close")
    const place: { readonly tasks: number } = JSON.parse(await readFile(join(cwd, "tasks.jsonl.place"), "utf8"))
    assert.isAbove(place.tasks, 0)
    assert.isBelow(place.tasks, count)
    const { code, stderr, stdout } = await shell.run("venom submit --file tasks.jsonl --json")
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    assert.deepStrictEqual(JSON.parse(stdout), {
      tasks: count,
      submitted: count - place.tasks,
      submitted_before: place.tasks
    })
    const { counts } = JSON.parse((await shell.run("venom queue --json")).stdout)
    assert.strictEqual(counts.PENDING, count)
  })

  it("refuses to go on with another file", async () => {
    const { cwd, shell } = await begin()
    await writeFile(join(cwd, "tasks.jsonl"), lines(10))
    await writeFile(
      join(cwd, "tasks.jsonl.place"),
      JSON.stringify({ sha256: "another", begun: Date.now(), line: 5, tasks: 5 })
    )
    const heard = await shell.run("venom submit --file tasks.jsonl")
    assert.strictEqual(heard.code, 2)
    assert.match(heard.stderr, /after line 5, and tasks\.jsonl has changed since/)
  })
})
