import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import type { VenomTask } from "../../src/domain/Task.ts"
import { retryable } from "../../src/domain/TaskError.ts"
import { StorageError } from "../../src/ports/StorageError.ts"
import { after, idOf, submitted } from "../support/tasks.ts"
import { quiet, seconds, start } from "./engine.ts"

const id = idOf(1)
const orphan = after(submitted(1), Lifecycle.claim(0))

/** Lives that each end by death while the task runs, until it runs no more; what the last one left. */
const livesOf = (task: VenomTask, crashLimit: number) =>
  Effect.gen(function* () {
    let left: ReadonlyArray<VenomTask> = [task]
    let runs = 0
    for (let life = 0; life < 30; life++) {
      const engine = yield* start(
        () =>
          Effect.andThen(
            Effect.sync(() => runs++),
            Effect.never
          ),
        {
          tasks: left,
          settings: { crashLimit }
        }
      )
      yield* quiet
      // nothing of this life's end reaches the next
      left = yield* engine.tasks
      yield* engine.stop
    }
    return { runs, task: left[0] }
  })

describe("a start after a death", () => {
  it.effect("resume: what was PROCESSING runs again, and the lost attempt is counted", () =>
    Effect.gen(function* () {
      const engine = yield* start(() => Effect.succeed("done"), { tasks: [orphan], settings: { onRestart: "resume" } })
      const done = yield* engine.reaches(id, "COMPLETED")
      assert.deepStrictEqual(
        done.attempts.map(({ outcome }) => outcome),
        ["crashed", "completed"]
      )
      const line = engine.logged.find((logged) => logged.startsWith("Warn Rescued"))
      assert.include(line, `{"task_id":"${id}","attempt":1}`)
    })
  )

  it.effect("resume: what was PROCESSING is given back, and held where nobody has work for its type", () =>
    Effect.gen(function* () {
      const types = new Set(["mail"])
      const engine = yield* start(() => Effect.succeed("done"), { tasks: [orphan], types })
      yield* TestClock.adjust("1 hour")
      const held = yield* engine.get(id)
      assert.deepStrictEqual([held.status, held.attempts.map(({ outcome }) => outcome)], ["PENDING", ["crashed"]])
      assert.strictEqual((yield* engine.orchestrator.why(id)).sentence, "No handler for type default here.")
    })
  )

  it.effect("fail: what was PROCESSING is FAILED as crashed and does not run again", () =>
    Effect.gen(function* () {
      const ran: Array<string> = []
      const engine = yield* start(
        (task) =>
          Effect.sync(() => {
            ran.push(task.content)
            return ""
          }),
        { tasks: [orphan, submitted(2)], settings: { onRestart: "fail" } }
      )
      yield* engine.reaches(idOf(2), "COMPLETED")
      const failed = yield* engine.get(id)
      assert.deepStrictEqual(
        [failed.status, failed.failure?.reason, failed.attempts[0]?.outcome],
        ["FAILED", "crashed", "crashed"]
      )
      assert.deepStrictEqual(ran, ["task 2"])
      assert.isTrue(engine.logged.some((line) => line.startsWith("Warn Failed as crashed") && line.includes(id)))
    })
  )

  it.effect("tasks that were not PROCESSING are as they were", () =>
    Effect.gen(function* () {
      const finished = after(submitted(2), Lifecycle.claim(0), Lifecycle.complete("done", 1))
      const later = submitted(3, { runAt: 1e9 })
      const engine = yield* start(() => Effect.succeed(""), { tasks: [finished, later] })
      assert.deepStrictEqual(yield* engine.tasks, [later, finished])
    })
  )

  it.effect("orphans are dealt with before anything is claimed", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      yield* start(() => Effect.succeed(""), {
        tasks: [orphan, submitted(2)],
        wrap: (repository) => ({
          ...repository,
          rescue: (transition) =>
            Effect.andThen(
              Effect.sync(() => order.push("rescue")),
              repository.rescue(transition)
            ),
          claim: (options) =>
            Effect.andThen(
              Effect.sync(() => order.push("claim")),
              repository.claim(options)
            )
        })
      })
      assert.deepStrictEqual(order.slice(0, 2), ["rescue", "claim"])
    })
  )

  it.effect("a task that takes its process along runs as often as the crash limit says, and is FAILED as crashed", () =>
    Effect.gen(function* () {
      const { runs, task } = yield* livesOf(submitted(1), 3)
      assert.strictEqual(runs, 3)
      assert.deepStrictEqual(
        [task?.status, task?.failure],
        ["FAILED", { reason: "crashed", message: "3 attempts ended with the process" }]
      )
    })
  )

  it.effect("also when the limit is higher than the attempts that are kept", () =>
    Effect.gen(function* () {
      const { runs, task } = yield* livesOf(submitted(1), 1000)
      assert.strictEqual(runs, 20)
      assert.strictEqual(task?.status, "FAILED")
    })
  )

  it.effect("crashes are remembered through failures that were retried", () =>
    Effect.gen(function* () {
      let tasks: ReadonlyArray<VenomTask> = [submitted(1)]
      for (let life = 0; life < 2; life++) {
        const engine = yield* start(
          ({ attempt }) => (attempt % 2 === 1 ? Effect.fail(retryable("no", seconds(1))) : Effect.never),
          {
            tasks,
            settings: { crashLimit: 2 }
          }
        )
        yield* TestClock.adjust(seconds(2))
        tasks = yield* engine.tasks
        assert.strictEqual(tasks[0]?.status, "PROCESSING")
        yield* engine.stop
      }
      const last = yield* start(() => Effect.never, { tasks, settings: { crashLimit: 2 } })
      const failed = yield* last.reaches(id, "FAILED")
      assert.deepStrictEqual(
        failed.attempts.map(({ outcome }) => outcome),
        ["error", "crashed", "error", "crashed"]
      )
    })
  )

  it.effect("an engine that cannot rescue yet starts all the same, and rescues as soon as storage lets it", () =>
    Effect.gen(function* () {
      let isOut = true
      const engine = yield* start(() => Effect.succeed("done"), {
        tasks: [orphan],
        wrap: (repository) => ({
          ...repository,
          rescue: (transition) =>
            Effect.suspend(() =>
              isOut ? Effect.fail(new StorageError({ reason: "read only" })) : repository.rescue(transition)
            )
        })
      })
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* engine.get(id), orphan)
      assert.lengthOf(
        engine.logged.filter((line) => line.includes("waits for storage")),
        1
      )
      isOut = false
      yield* TestClock.adjust(seconds(1))
      const done = yield* engine.reaches(id, "COMPLETED")
      assert.deepStrictEqual(
        done.attempts.map(({ outcome }) => outcome),
        ["crashed", "completed"]
      )
    })
  )

  it.effect("and it goes on after a defect, and says so", () =>
    Effect.gen(function* () {
      const answers = [Effect.fail(new StorageError({ reason: "read only" })), Effect.die("boom")]
      const engine = yield* start(() => Effect.succeed("done"), {
        tasks: [orphan],
        wrap: (repository) => ({
          ...repository,
          rescue: (transition) => Effect.suspend(() => answers.shift() ?? repository.rescue(transition))
        })
      })
      yield* TestClock.adjust(seconds(1))
      assert.isTrue(engine.logged.some((line) => line.startsWith("Error Rescuing") && line.includes("defect")))
      assert.deepStrictEqual(yield* engine.get(id), orphan)
      yield* TestClock.adjust(seconds(1))
      yield* engine.reaches(id, "COMPLETED")
    })
  )
})
