import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { HourStatistics, StorageState } from "../../src/api/StatisticsApi.ts"
import { permanent } from "../../src/domain/TaskError.ts"
import { TaskRunner } from "../../src/ports/TaskRunner.ts"
import { get, served, submit } from "./support.ts"

const runner = Layer.succeed(TaskRunner, {
  run: ({ content }) => (content === "bad" ? Effect.fail(permanent(`no such user: ${content}`)) : Effect.succeed(""))
})

const readHour = Schema.decodeUnknownEffect(Schema.fromJsonString(HourStatistics))
const readStorage = Schema.decodeUnknownEffect(Schema.fromJsonString(StorageState))

const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((a, b) => a + b, 0)

describe("GET /api/v1/statistics", () => {
  it.live("tells what the last hour brought", () =>
    Effect.gen(function* () {
      for (const content of ["good", "good", "bad"]) yield* submit({ content, type: "mail" })
      for (;;) {
        const hour = yield* readHour((yield* get("/api/v1/statistics")).text)
        const [done] = hour.failures
        if (sum(hour.minutes.map(({ completed }) => completed)) < 2 || done === undefined) continue
        assert.strictEqual(sum(hour.minutes.map(({ submitted }) => submitted)), 3)
        assert.strictEqual(sum(hour.minutes.map(({ failed }) => failed.error ?? 0)), 1)
        assert.deepInclude(done, { type: "mail", reason: "error", message: "no such user: bad", count: 1 })
        assert.lengthOf(done.tasks, 1)
        assert.isTrue(hour.minutes.every(({ at }) => at % 60_000 === 0))
        return
      }
    }).pipe(Effect.provide(served({ runner })))
  )
})

describe("GET /api/v1/storage", () => {
  it.live("tells where the state is and how long it stays", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* readStorage((yield* get("/api/v1/storage")).text)).savedAt, null)
      yield* submit({ content: "good" })
      for (;;) {
        const storage = yield* readStorage((yield* get("/api/v1/storage")).text)
        if (storage.savedAt === null) continue
        assert.deepInclude(storage, { writable: true, reason: null })
        assert.deepStrictEqual(storage.retention, { completed: 604_800, failed: 604_800, count: 1_000_000 })
        return
      }
    }).pipe(Effect.provide(served({ runner })))
  )
})
