import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { directory, launch, serve, type Service, type Settings } from "./support/Service.ts"

const forever = { VENOM_SIMULATED_DURATION: "1 hour" }
const instantly = { VENOM_SIMULATED_DURATION: "0 seconds" }

/** A task that was PROCESSING when the process was killed. */
const killedUnderWay = Effect.fnUntraced(function* (data: string, settings: Settings) {
  const venom = yield* serve(data, { ...forever, ...settings })
  const id = yield* venom.submit("survives")
  yield* venom.reaches(id, "PROCESSING")
  yield* venom.kill
  return id
})

const told = (venom: Service, id: string) => venom.log().filter(({ task_id }) => task_id === id)

describe("a task that is PROCESSING when the process dies", { concurrent: true }, () => {
  it.live("runs again under VENOM_ON_RESTART=resume, and the log says so", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const id = yield* killedUnderWay(data, {})
      const venom = yield* serve(data, { ...instantly, VENOM_ON_RESTART: "resume" })
      const task = yield* venom.reaches(id, "COMPLETED")
      assert.include(task, { content: "survives", attempt: 2 })
      assert.deepStrictEqual(
        task.attempts.map(({ outcome }) => outcome),
        ["crashed", "completed"]
      )
      assert.isAtLeast(told(venom, id).length, 1)
    })
  )

  it.live("is FAILED as crashed under VENOM_ON_RESTART=fail, for good", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const id = yield* killedUnderWay(data, {})
      const venom = yield* serve(data, { ...instantly, VENOM_ON_RESTART: "fail" })
      const task = yield* venom.reaches(id, "FAILED")
      assert.include(task, { attempt: 1, content: "survives" })
      assert.strictEqual(task.failure?.reason, "crashed")
      assert.deepStrictEqual(
        task.attempts.map(({ outcome }) => outcome),
        ["crashed"]
      )
      assert.isAtLeast(told(venom, id).length, 1)
      // others are not concerned
      yield* venom.reaches(yield* venom.submit("another"), "COMPLETED")
      yield* venom.kill
      const again = yield* serve(data, { ...instantly, VENOM_ON_RESTART: "resume" })
      assert.deepStrictEqual(yield* again.get(id), task)
    })
  )

  it.live("VENOM_CRASH_LIMIT times becomes FAILED as crashed", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const limit = { VENOM_CRASH_LIMIT: "3" }
      const first = yield* serve(data, { ...forever, ...limit })
      const id = yield* first.submit("x")
      yield* first.reaches(id, "PROCESSING")
      yield* first.kill
      for (const attempt of [2, 3]) {
        const venom = yield* serve(data, { ...forever, ...limit })
        assert.include(yield* venom.reaches(id, "PROCESSING"), { attempt })
        yield* venom.kill
      }
      const last = yield* serve(data, { ...forever, ...limit })
      const task = yield* last.reaches(id, "FAILED")
      assert.strictEqual(task.attempt, 3)
      assert.strictEqual(task.failure?.reason, "crashed")
    })
  )
})

describe("a task that kills the process", { concurrent: true }, () => {
  /** `poison` kills its parent, which is the service. */
  const settings = {
    VENOM_RUNNER: "command",
    VENOM_COMMAND: `sh -c 'read x; [ "$x" != poison ] || { kill -9 $PPID; sleep 5; }; echo did $x'`,
    VENOM_CRASH_LIMIT: "2"
  }

  it.live("is FAILED as crashed after VENOM_CRASH_LIMIT times, and then the service lives and works on", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const first = yield* serve(data, settings)
      const good = yield* first.submit("good\n")
      yield* first.reaches(good, "COMPLETED")
      // the service may die before it has answered
      yield* Effect.ignore(first.submit("poison\n"))
      assert.strictEqual((yield* first.ended).signal, "SIGKILL")
      const second = yield* launch(data, settings)
      assert.strictEqual((yield* second.ended).signal, "SIGKILL")

      const third = yield* serve(data, settings)
      const poison = (yield* third.list).find(({ content }) => content === "poison\n")
      assert.include(poison, { status: "FAILED", attempt: 2 })
      assert.strictEqual(poison?.failure?.reason, "crashed")
      const next = yield* third.reaches(yield* third.submit("next\n"), "COMPLETED")
      assert.strictEqual(next.result, "did next")
      assert.include(yield* third.get(good), { status: "COMPLETED", result: "did good" })
    })
  )
})
