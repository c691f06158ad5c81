// After `npm ci`: makes the page, where what makes it was installed. Plain JavaScript that old versions of Node
// understand: it has to run where the rest cannot.
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import process from "node:process"
import { fileURLToPath } from "node:url"

const pathOf = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const hasAll = ["vite", "preact"].every((name) => existsSync(pathOf(`node_modules/${name}`)))

if (hasAll) {
  const build = ["--import", "./scripts/check-node.mjs", "scripts/page.ts"]
  process.exit(spawnSync(process.execPath, build, { cwd: pathOf(""), stdio: "inherit" }).status ?? 1)
}
console.log("The page of Venom is not built: that takes what is for development, too")
