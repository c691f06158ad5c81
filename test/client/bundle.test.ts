import { readFileSync } from "node:fs"
import { relative } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"
import { assert, beforeAll, describe, it } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))

describe("venom/client, bundled for a browser", () => {
  let code = ""
  let modules: ReadonlyArray<string> = []
  let imports: ReadonlyArray<string> = []

  beforeAll(async () => {
    const build = await rolldown({ input: `${root}src/client.ts`, platform: "browser", logLevel: "warn" })
    const { output } = await build.generate({ format: "esm", minify: true })
    await build.close()
    const [chunk] = output
    assert.lengthOf(output, 1)
    code = chunk.code
    modules = chunk.moduleIds.map((id) => relative(root, id))
    imports = [...chunk.imports, ...chunk.dynamicImports]
  })

  it("is whole, and has nothing of the service in it", () => {
    assert.deepStrictEqual(imports, [])
    const allowed = /^(src\/(api|client|domain|ports|typed)\/|src\/client\.ts$|node_modules\/effect\/|\0)/
    assert.deepStrictEqual(
      modules.filter((id) => !allowed.test(id)),
      []
    )
    assert.include(modules, "src/client/HttpTaskClient.ts")
    assert.notMatch(code, /\bimport\s*\(|\brequire\(/)
  })

  it("is as large as the documents say", () => {
    const size = { minified: code.length / 1000, gzip: gzipSync(code, { level: 9 }).length / 1000 }
    const text = readFileSync(`${root}docs/embedding.md`, "utf8")
    const [, minified, gzip] = /minified it has (\d+) kB, (\d+) kB with\s+gzip/.exec(text) ?? []
    assert.approximately(size.minified, Number(minified), 5)
    assert.approximately(size.gzip, Number(gzip), 2)
    assert.include(readFileSync(`${root}README.md`, "utf8"), `in ${gzip} kB`)
  })
})
