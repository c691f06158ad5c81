import { execFile } from "node:child_process"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { assert, describe, it } from "vitest"
import { bundle } from "../../scripts/bundle.ts"
import { version } from "../../src/host/Version.ts"
import { directory } from "./venom.ts"

const run = promisify(execFile)

describe("the program as it is published", () => {
  it("is a bundle that runs by itself, and leaves what only serve needs to serve", async () => {
    const root = await directory()
    await mkdir(join(root, "bin"))
    const manifest = { name: "venom", version, type: "module", exports: { "./package.json": "./package.json" } }
    await writeFile(join(root, "package.json"), JSON.stringify(manifest))
    const loaded = await bundle(join(root, "bin"))
    const { stdout } = await run(process.execPath, [join(root, "bin", "venom.js"), "--version"])
    assert.strictEqual(stdout, `venom v${version}\n`)
    // the page that shows the API alone is more
    assert.isBelow(loaded, 1_500_000)
  })
})
