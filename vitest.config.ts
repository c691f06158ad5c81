import { defineConfig } from "vitest/config"
import "./scripts/check-node.mjs"

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["{test,examples}/**/*.test.ts"], exclude: ["test/process/**"] } },
      {
        test: {
          name: "process",
          include: ["test/process/**/*.test.ts"],
          // the real program, started again and again: alone on the machine, or its timing means little
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000
        }
      }
    ]
  }
})
