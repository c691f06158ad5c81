import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import process from "node:process"

// the peers are not installed with Venom, and without them there are no types to check against
if (existsSync(new URL("../bench/node_modules", import.meta.url))) {
  const { status } = spawnSync("tsc", ["--project", "bench"], { stdio: "inherit" })
  process.exitCode = status ?? 1
} else {
  process.stdout.write("The types of bench are not checked: npm ci --prefix bench installs what they need\n")
}
