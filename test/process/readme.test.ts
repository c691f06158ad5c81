import { execFile } from "node:child_process"
import { copyFile, readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { Record } from "effect"
import { assert, describe, it } from "vitest"
import * as Table from "../../src/cli/SettingsTable.ts"
import { directory, serve } from "./venom.ts"
import { walk } from "./support/Walkthrough.ts"

const pathOf = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))
const defaults: Readonly<Record<string, string | undefined>> = Record.mapEntries(Table.table, (row: Table.Row, key) => [
  Table.variable(key),
  row.default
])

const read = (name: string) => readFile(pathOf(name), "utf8")

describe("what a reader is told to do gives the answers that are shown", () => {
  it.each([{ name: "README.md", answers: 9 }])("$name", async ({ answers, name }) => {
    const cwd = await directory()
    await copyFile(pathOf("LICENSE"), join(cwd, "LICENSE"))
    assert.strictEqual(await walk(await read(name), { cwd, start: (env) => serve([], { cwd, env }) }), answers)
  })
})

describe("README.md", () => {
  it("shows the examples as they are", async () => {
    const shown = Array.from((await read("README.md")).matchAll(/^<!-- (\S+) -->\n```ts\n(.*?)^```$/gms))
    assert.lengthOf(shown, 2)
    for (const [, file = "", code] of shown) assert.strictEqual(code, await read(file), file)
  })

  it("shows an embedding that runs", async () => {
    const run = promisify(execFile)
    const { stdout } = await run(process.execPath, [pathOf("examples/embed/main.ts")], { cwd: await directory() })
    assert.match(stdout, /status: 'COMPLETED',\s+result: 'HELLO'/)
  })

  it("has the defaults that the settings have", async () => {
    const rows = Array.from((await read("README.md")).matchAll(/^\| `(VENOM_\w+)` \| `([^`]*)` \|/gm))
    assert.isAbove(rows.length, 5)
    for (const [, variable, value] of rows) {
      assert.strictEqual(defaults[variable ?? ""], value, variable)
    }
  })
})
