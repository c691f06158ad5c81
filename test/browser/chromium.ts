import { existsSync } from "node:fs"
import process from "node:process"
import { type Browser, chromium } from "playwright-core"

const places = [
  process.env["CHROMIUM"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
]
const found = places.find((path) => existsSync(path))

/** Whether tests that need a browser are left out; never in CI, where they fail instead. */
export const isMissing = found === undefined && process.env["CI"] === undefined

if (isMissing) {
  process.stderr.write("Chromium is not there, its tests are skipped. To have it: apt-get install -y chromium\n")
}

export const launch = (): Promise<Browser> => {
  if (found === undefined) throw new Error("Chromium is not there: apt-get install -y chromium")
  // a container has no user namespaces and little shared memory
  return chromium.launch({ executablePath: found, args: ["--no-sandbox", "--disable-dev-shm-usage"] })
}
