import { execFile } from "node:child_process"
import { copyFile, readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, describe, it } from "vitest"
import { walk } from "./support/Walkthrough.ts"
import { directory, serve } from "./venom.ts"

const pathOf = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))

describe("what a reader is told to do gives the answers that are shown", () => {
  it.each(["README.md", "docs/api.md", "docs/operations.md"])("%s", async (name) => {
    const cwd = await directory()
    await copyFile(pathOf("LICENSE"), join(cwd, "LICENSE"))
    const document = await readFile(pathOf(name), "utf8")
    const answers = await walk(document, { cwd, start: (env) => serve([], { cwd, env }) })
    assert.isAbove(answers, 3)
    assert.lengthOf(document.match(/^```(json|http)$/gm) ?? [], answers)
  })

  it("examples/embed/main.ts", async () => {
    const run = promisify(execFile)
    const { stdout } = await run(process.execPath, [pathOf("examples/embed/main.ts")], { cwd: await directory() })
    assert.match(stdout, /status: 'COMPLETED',\s+result: 'HELLO'/)
  })
})
