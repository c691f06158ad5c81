import { spawnSync } from "node:child_process"
import { chmod, writeFile } from "node:fs/promises"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"
import { directory } from "./venom.ts"

const script = fileURLToPath(new URL("../../scripts/audit.ts", import.meta.url))

const report = (...found: ReadonlyArray<readonly [name: string, severity: string]>) =>
  JSON.stringify({
    auditReportVersion: 2,
    vulnerabilities: Object.fromEntries(
      found.map(([name, severity]) => [name, { name, severity, isDirect: true, via: [], range: "<1.2.3" }])
    ),
    metadata: { vulnerabilities: { info: 0, low: 0, moderate: 0, high: 0, critical: 0, total: found.length } }
  })
const nobody = JSON.stringify({
  message: "405 Method Not Allowed",
  statusCode: 405,
  error: { summary: "", detail: "" }
})

/** The audit, where npm says this of what Venom runs with, and that of all. */
const audited = async (ofVenom: string, ofAll: string) => {
  const path = await directory()
  const npm = `#!/bin/sh\ncase "$*" in *--omit=dev*) echo '${ofVenom}' ;; *) echo '${ofAll}' ;; esac\nexit 1\n`
  await writeFile(join(path, "npm"), npm)
  await chmod(join(path, "npm"), 0o755)
  const env = { ...process.env, PATH: `${path}:${process.env["PATH"] ?? ""}` }
  return spawnSync(process.execPath, [script], { encoding: "utf8", env })
}

describe("the audit of dependencies", () => {
  it("passes where nothing bad is known", async () => {
    const { status, stdout } = await audited(report(["a", "moderate"]), report(["a", "moderate"], ["b", "high"]))
    assert.strictEqual(status, 0, stdout)
    assert.match(stdout, /^audited, what Venom runs with: 1 known, 0 of them high or worse$/m)
    assert.match(stdout, /^audited, what builds and tests it too: 2 known, 0 of them critical or worse$/m)
  })

  it("fails for what is bad, and names it", async () => {
    const ofVenom = await audited(report(["a", "high"]), report(["a", "high"]))
    assert.strictEqual(ofVenom.status, 1)
    assert.include(ofVenom.stdout, "high: a <1.2.3")
    const ofTools = await audited(report(), report(["b", "critical"]))
    assert.strictEqual(ofTools.status, 1)
    assert.include(ofTools.stdout, "critical: b <1.2.3")
  })

  it("says aloud where nobody could be asked", async () => {
    for (const answer of [nobody, "", "not json"]) {
      const { status, stdout } = await audited(answer, answer)
      assert.strictEqual(status, 0)
      assert.lengthOf(stdout.match(/^NOT AUDITED/gm) ?? [], 2)
    }
  })
})
