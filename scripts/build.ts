// Makes dist/, which is the published package: JavaScript, declarations, and a package.json of its own, without the
// Node platform packages that this checkout runs on. The checkout itself stays private: its exports are the sources,
// which Node does not load from node_modules.
import { spawnSync } from "node:child_process"
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { bundle } from "./bundle.ts"

const root = new URL("../", import.meta.url)
const dist = new URL("dist/", root)

rmSync(dist, { recursive: true, force: true })
const tsc = fileURLToPath(new URL("node_modules/typescript/bin/tsc", root))
const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], {
  cwd: fileURLToPath(root),
  stdio: "inherit"
})
if (status !== 0) process.exit(1)

const { dependencies, description, license, name, type, version } = JSON.parse(
  readFileSync(new URL("package.json", root), "utf8")
)
const platform = new URL("node_modules/@effect/platform-node/package.json", root)
const published = {
  name,
  version,
  description,
  license,
  type,
  engines: JSON.parse(readFileSync(platform, "utf8")).engines,
  bin: { venom: "./bin/venom.js" },
  // importing anything else starts nothing: a bundler may leave out what a page does not use
  sideEffects: ["./bin/*.js", "./main.js", "./program.js", "./adapters/runners/threadMain.js"],
  exports: {
    ".": { types: "./index.d.ts", default: "./index.js" },
    "./http": { types: "./http.d.ts", default: "./http.js" },
    "./client": { types: "./client.d.ts", default: "./client.js" },
    "./postgres": { types: "./postgres.d.ts", default: "./postgres.js" },
    "./testing": { types: "./testing.d.ts", default: "./testing.js" },
    "./package.json": "./package.json"
  },
  // an application has one effect, and Venom uses that one: layers and fibers go to and fro, and whether the inside of
  // two versions fits together nobody promises. Patches only: much of what is used here is called unstable
  peerDependencies: Object.fromEntries(Object.entries(dependencies).map(([name, version]) => [name, `~${version}`])),
  // for `venom/postgres` alone; the program is a bundle
  peerDependenciesMeta: { "@effect/sql-pg": { optional: true } }
}
writeFileSync(new URL("package.json", dist), `${JSON.stringify(published, null, 2)}\n`)
for (const file of ["README.md", "LICENSE", "CHANGELOG.md"]) copyFileSync(new URL(file, root), new URL(file, dist))
const loaded = await bundle(fileURLToPath(new URL("bin", dist)))
chmodSync(new URL("bin/venom.js", dist), 0o755)
await import("./page.ts")
console.log(`dist/bin/venom.js: ${loaded} bytes of code for every command`)
