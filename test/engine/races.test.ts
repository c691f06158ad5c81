import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, FileSystem, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as FileStateRepository from "../../src/adapters/file/FileStateRepository.ts"
import * as MemoryStateRepository from "../../src/adapters/memory/MemoryStateRepository.ts"
import { Schedules } from "../../src/engine/Schedules.ts"
import { layerTest, TestQueue } from "../../src/testing.ts"
import { node, races, range, times, turns } from "./races.ts"

const file = Layer.unwrap(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return FileStateRepository.layer({ directory: yield* fs.makeTempDirectoryScoped({ prefix: "venom-" }) })
  })
).pipe(Layer.provide(NodeFileSystem.layer))

for (const [name, repository] of [
  ["memory", MemoryStateRepository.layer()],
  ["file", file]
] as const) {
  races(name, (run, concurrency) => Effect.map(node(repository, run, concurrency), (one) => [one]), 60_000)
}

describe(`schedules, ${times} times`, () => {
  it.effect(
    "a slot has one run, though the process dies while it is made",
    () =>
      Effect.gen(function* () {
        const queue = yield* TestQueue
        const { put } = yield* Schedules
        yield* put("tick", { every: "1 second", missed: "once", task: { content: "tick" } })
        const runs = new Map<number, string>()
        const look = Effect.map(queue.submitted, (tasks) => {
          for (const { id, runAt } of tasks) {
            const known = runs.get(runAt) ?? id
            runs.set(runAt, known)
            assert.strictEqual(known, id)
          }
          return runs.size
        })
        const madeAtDeath = new Set<number>()
        for (const n of range(times)) {
          const time = yield* Effect.forkChild(TestClock.adjust("1 second"))
          yield* turns(n % 17)
          madeAtDeath.add((yield* look) - n)
          yield* queue.crash
          yield* Fiber.join(time)
          yield* queue.settle
          assert.strictEqual(yield* look, n + 1)
        }
        assert.deepStrictEqual(
          Array.from(runs.keys()),
          range(times).map((n) => (n + 1) * 1000)
        )
        // or it was no race
        assert.strictEqual(madeAtDeath.size, 2)
      }).pipe(Effect.provide(layerTest({ run: () => Effect.succeed(""), settings: { retentionCount: 3 } }))),
    60_000
  )
})
