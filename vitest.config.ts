import { defineConfig } from "vitest/config"
import "./scripts/check-node.mjs"

/** All that the daily tests try a part of. */
const whole = [
  "test/adapters/file/FileStateRepository.test.ts",
  "test/process/log.test.ts",
  "test/process/telemetry.test.ts",
  "test/engine/races.test.ts",
  "test/simulation/everyOperation.test.ts",
  "test/simulation/damage.test.ts",
  "test/simulation/schedules.test.ts"
]

/**
 * What takes long: kills, cancels and load by the thousand, disks that fail and files that are damaged, every runner and
 * what is kept for how long, each command at a terminal, every line of the documents and every example, the package in a
 * project, a real Prometheus, nodes and cut-overs on PostgreSQL: `npm run test:long`.
 */
const long = [
  "backup",
  "bulk",
  "cutover",
  "damage",
  "disk",
  "examples",
  "history",
  "kill",
  "leftovers",
  "load",
  "nodes",
  "package",
  "partition",
  "prometheus",
  "readme",
  "retention",
  "runners",
  "siege",
  "terminal",
  "transfer"
].map((name) => `test/process/${name}.test.ts`)

const racesOnPostgres = "test/adapters/postgres/races.test.ts"

/** Tests that know nothing of files: they run with `--store postgres` too. */
const onPostgres = [
  ...[
    "bulk",
    "callbacks",
    "changing",
    "connections",
    "events",
    "history",
    "keys",
    "kill",
    "load",
    "queue",
    "reading",
    "requests",
    "restart",
    "retention",
    "runners",
    "shutdown",
    "tasks",
    "terminal"
  ].map((name) => `test/process/${name}.test.ts`),
  "test/server/*.test.ts",
  racesOnPostgres
]

/** The real program, started again and again: alone on the machine, or its timing means little. */
const alone = {
  fileParallelism: false,
  sequence: { groupOrder: 1 },
  testTimeout: 60_000,
  hookTimeout: 60_000
}

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{test,examples}/**/*.test.ts"],
          exclude: ["test/process/**", "test/browser/**", racesOnPostgres]
        }
      },
      { test: { name: "process", include: ["test/process/**/*.test.ts"], exclude: long, ...alone } },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          ...alone,
          // none of them minds that the machine is busy
          fileParallelism: true,
          maxWorkers: 3,
          sequence: { groupOrder: 2 }
        }
      },
      {
        test: {
          name: "postgres",
          include: onPostgres,
          globalSetup: "test/process/support/onPostgres.ts",
          ...alone
        }
      },
      { test: { name: "long", include: [...long, ...whole], env: { TEST_EVERYTHING: "true" }, ...alone } }
    ]
  }
})
