import { spawnSync } from "node:child_process"
import process from "node:process"
import { Option, Schema } from "effect"

/** What npm says of each package that has something known against it. */
const Report = Schema.fromJsonString(
  Schema.Struct({
    vulnerabilities: Schema.Record(Schema.String, Schema.Struct({ severity: Schema.String, range: Schema.String })),
    metadata: Schema.Struct({ vulnerabilities: Schema.Struct({ total: Schema.Int }) })
  })
)

const severities = ["info", "low", "moderate", "high", "critical"]

/** Those installed with Venom; and all, those that only build and test it too. */
const audits = [
  { of: "what Venom runs with", args: ["--omit=dev"], worst: "high" },
  { of: "what builds and tests it too", args: [], worst: "critical" }
]

for (const { args, of, worst } of audits) {
  const { stdout } = spawnSync("npm", ["audit", "--json", ...args], { encoding: "utf8", maxBuffer: 2 ** 28 })
  const report = Option.getOrUndefined(Schema.decodeUnknownOption(Report)(stdout))
  if (report === undefined) {
    process.stdout.write(
      `NOT AUDITED, ${of}: the registry does not answer audits: ${stdout.replaceAll(/\s+/g, " ").slice(0, 200)}\n`
    )
    continue
  }
  const found = Object.entries(report.vulnerabilities)
  const bad = found.filter(([, { severity }]) => severities.indexOf(severity) >= severities.indexOf(worst))
  process.stdout.write(`audited, ${of}: ${found.length} known, ${bad.length} of them ${worst} or worse\n`)
  for (const [name, { range, severity }] of bad) process.stdout.write(`${severity}: ${name} ${range}\n`)
  if (bad.length > 0) process.exitCode = 1
}
