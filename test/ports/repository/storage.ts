import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { submitted } from "../../support/tasks.ts"
import type { Tests } from "./harness.ts"

export const storage = (test: Tests): void => {
  describe("storage", () => {
    test("tells what takes room, and what was found at the start", (repository) =>
      Effect.gen(function* () {
        yield* repository.insert([submitted(1, { content: "x".repeat(10_000) })])
        const { files, kind, recovered } = yield* repository.storage
        assert.match(kind, /^[a-z]+$/)
        const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
        if (kind === "memory") assert.deepStrictEqual(files, [])
        else assert.isAtLeast(bytes, kind === "file" ? 10_000 : 1)
        assert.lengthOf(new Set(files.map(({ name }) => name)), files.length)
        if (kind === "file") assert.deepInclude(recovered, { tasks: 0, records: 0, damagedBytes: 0 })
      }))
  })
}
