import { spawnSync } from "node:child_process"
import { once } from "node:events"
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"
import { walk } from "./support/Walkthrough.ts"
import { directory, serve } from "./venom.ts"

const hasPython = spawnSync("python3", ["--version"]).status === 0
if (!hasPython) process.stderr.write("python3 is not there: docs/runners.md is run in CI only\n")

/** Ends a process, unless it has ended. */
const end = (pid: number): void => {
  try {
    process.kill(pid)
  } catch {
    // it has
  }
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  return typeof address === "object" && address !== null ? address.port : assert.fail("no port")
}

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

  it.skipIf(!hasPython && process.env["CI"] === undefined)("docs/runners.md", async () => {
    const cwd = await directory()
    // the port of the document may be taken
    const port = await freePort()
    const there = (text: string) => text.replaceAll("127.0.0.1:9100", `127.0.0.1:${port}`)
    const name = join("examples", "runners")
    await mkdir(join(cwd, name), { recursive: true })
    for (const file of await readdir(pathOf(name))) {
      await writeFile(join(cwd, name, file), there(await readFile(join(pathOf(name), file), "utf8")))
    }
    const document = await readFile(pathOf("docs/runners.md"), "utf8")
    try {
      const answers = await walk(document, { cwd, start: (env) => serve([], { cwd, env }), there })
      assert.lengthOf(document.match(/^```(json|http)$/gm) ?? [], answers)
    } finally {
      const pid = Number(await readFile(join(cwd, "receiver.pid"), "utf8").catch(() => ""))
      if (pid > 0) end(pid)
    }
  })

  it("docs/cli.md", async () => {
    const cwd = await directory()
    const document = await readFile(pathOf("docs/cli.md"), "utf8")
    let url = ""
    const answers = await walk(document, {
      cwd,
      start: async (env) => {
        const venom = await serve([], { cwd, env })
        url = await venom.url()
        return venom
      },
      there: (script) =>
        `venom() { '${process.execPath}' '${pathOf("src/main.ts")}' "$@"; }\nexport VENOM_URL=${url}\n${script}`
    })
    assert.lengthOf(document.match(/^```json$/gm) ?? [], answers)
  })
})
