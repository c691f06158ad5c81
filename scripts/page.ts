// Makes the page: src/dashboard to dist/dashboard, which the service reads when it starts.
import { readdirSync, readFileSync } from "node:fs"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "vite"

const pathOf = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const outDir = pathOf("dist/dashboard")

/** With everything, compressed. */
const mostBytes = 100 * 1024

await build({
  root: pathOf("src/dashboard"),
  configFile: false,
  // wherever it is mounted, everything is found beside it
  base: "./",
  logLevel: "warn",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { outDir, emptyOutDir: true, target: "es2023", modulePreload: false, assetsInlineLimit: 0 }
})

const files = readdirSync(outDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
const size = files.reduce(
  (sum, { name, parentPath }) => sum + gzipSync(readFileSync(`${parentPath}/${name}`)).length,
  0
)
console.log(`dist/dashboard: ${files.length} files, ${size} bytes compressed`)
if (size > mostBytes) {
  console.error(`The page may have ${mostBytes} bytes, compressed`)
  process.exit(1)
}
