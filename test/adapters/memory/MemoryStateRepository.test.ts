import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as MemoryStateRepository from "../../../src/adapters/memory/MemoryStateRepository.ts"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import { StateRepository } from "../../../src/ports/StateRepository.ts"
import * as StateRepositoryTest from "../../ports/StateRepositoryTest.ts"
import { after, submitted } from "../../support/tasks.ts"

StateRepositoryTest.suite("memory", MemoryStateRepository.layer, { runs: 300 })

it.effect("tasks it begins with that are PROCESSING are orphans: rescued once", () =>
  Effect.gen(function* () {
    const repository = yield* StateRepository
    const rescued = yield* repository.rescue(Lifecycle.rescue(3, 10))
    assert.deepStrictEqual(
      rescued.map(({ status }) => status),
      ["PENDING"]
    )
    yield* repository.claim({ limit: 9, now: 10 })
    assert.deepStrictEqual(yield* repository.rescue(Lifecycle.rescue(3, 20)), [])
  }).pipe(
    Effect.provide(MemoryStateRepository.layer({ tasks: [submitted(1), after(submitted(2), Lifecycle.claim(0))] }))
  )
)
