import { assert, describe, it } from "@effect/vitest"
import { Duration, Result, Schema } from "effect"
import * as Callback from "../../src/domain/Callback.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { isFinished, type VenomTask } from "../../src/domain/Task.ts"
import { submitted } from "../support/tasks.ts"
import { AnyTransitions, toTransition } from "../support/AnyTransition.ts"

const asked = (n: number): VenomTask => ({ ...submitted(n), callback: Callback.waiting })
const ended = Result.getOrThrow(Result.flatMap(Lifecycle.claim(1000)(asked(1)), Lifecycle.fail("error", "no", 2000)))
const failed = (retryable = true, retryAfter = 0): Callback.Outcome => ({
  _tag: "Failed",
  message: "no answer",
  retryable,
  retryAfter
})

describe("callbacks", () => {
  it.prop(
    "are owed exactly while the task that asks for one has ended, whatever leads there",
    [AnyTransitions],
    ([steps]) => {
      let task = asked(1)
      let now = 0
      for (const step of steps) {
        now += step.elapsed
        task = Result.getOrElse(toTransition(step, now)(task), () => task)
        assert.strictEqual(task.callback?.state, isFinished(task) ? "owed" : "waiting")
        assert.strictEqual(task.callback?.nextAt, isFinished(task) ? task.finishedAt : null)
      }
    }
  )

  it.prop("are not there on a task that does not ask for one", [AnyTransitions], ([steps]) => {
    let task = submitted(1)
    for (const step of steps) task = Result.getOrElse(toTransition(step, 0)(task), () => task)
    assert.notProperty(task, "callback")
  })

  it("are tried for a day, ever more seldom", () => {
    let task = ended
    let now = 2000
    let tries = 0
    while (Callback.isOwed(task)) {
      now = task.callback?.nextAt ?? now
      task = Result.getOrThrow(Callback.settle(ended, failed(), { chance: 0.5, now })(task))
      tries++
    }
    assert.strictEqual(task.callback?.state, "given_up")
    assert.strictEqual(task.callback?.attempts, tries)
    assert.strictEqual(tries, 34)
    assert.strictEqual(now - 2000, Duration.toMillis(Callback.triedFor))
  })

  it("wait for as long as the receiver wishes, and not beyond their time", () => {
    const after = (outcome: Callback.Outcome) =>
      Result.getOrThrow(Callback.settle(ended, outcome, { chance: 0.5, now: 3000 })(ended)).callback
    assert.deepInclude(after(failed(true, 60_000)), { state: "owed", nextAt: 63_000 })
    assert.deepInclude(after(failed(true, 100)), { state: "owed", nextAt: 8000 })
    const last = 2000 + Duration.toMillis(Callback.triedFor)
    assert.deepInclude(after(failed(true, 90_000_000)), { state: "owed", nextAt: last })
    const tooLate = Callback.settle(ended, failed(true, 90_000_000), { chance: 0.5, now: last })(ended)
    assert.deepInclude(Result.getOrThrow(tooLate).callback, { state: "given_up", nextAt: null })
    assert.deepInclude(after(failed(false)), { state: "given_up", lastError: "no answer" })
    assert.deepInclude(after({ _tag: "Delivered" }), { state: "delivered", deliveredAt: 3000, attempts: 1 })
  })

  it.prop("of another end, or told already, are left as they are", [Schema.Boolean], ([delivered]) => {
    const at = { chance: 0, now: 5000 }
    const outcome: Callback.Outcome = delivered ? { _tag: "Delivered" } : failed(false)
    const settle = Callback.settle(ended, outcome, at)
    assert.isTrue(Result.isFailure(Result.flatMap(settle(ended), settle)))
    const again = Result.flatMap(Lifecycle.retryByHand(3000)(ended), Lifecycle.claim(3000))
    assert.isTrue(Result.isFailure(Result.flatMap(again, settle)))
    const other = Result.flatMap(again, Lifecycle.complete("", 4000))
    assert.isTrue(Result.isSuccess(other))
    assert.isTrue(Result.isFailure(Result.flatMap(other, settle)))
  })
})
