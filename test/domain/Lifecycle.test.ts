import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { limits, type TaskStatus, TaskRequest, type VenomTask } from "../../src/domain/Task.ts"
import { type AnyTransition, AnyTransitions, linesOf, toTransition } from "../support/AnyTransition.ts"
import * as invariants from "../support/invariants.ts"
import { after, idOf, submitted } from "../support/tasks.ts"

const many = { arbitrary: { runs: 150 }, timeout: 30_000 }

const claim = Lifecycle.claim(10)

const inStatus: Record<TaskStatus, VenomTask> = {
  PENDING: submitted(1),
  PROCESSING: after(submitted(1), claim),
  COMPLETED: after(submitted(1), claim, Lifecycle.complete("done", 20)),
  FAILED: after(submitted(1), claim, Lifecycle.fail("error", "no", 20))
}

/** Every step that is legal where the task then is, with the states before and after it. */
const walk = (
  task: VenomTask,
  steps: ReadonlyArray<AnyTransition>,
  onStep: (before: VenomTask, after: VenomTask, step: AnyTransition, now: number) => void
): VenomTask => {
  let now = task.createdAt
  let state = task
  for (const step of steps) {
    now = Math.max(0, now + step.elapsed)
    const result = toTransition(step, now)(state)
    if (Result.isFailure(result)) {
      assert.strictEqual(result.failure.status, state.status)
      continue
    }
    onStep(state, result.success, step, now)
    state = result.success
  }
  return state
}

describe("Lifecycle: the edges", () => {
  const edges: Record<string, readonly [Lifecycle.Transition, Partial<Record<TaskStatus, TaskStatus>>]> = {
    claim: [Lifecycle.claim(30), { PENDING: "PROCESSING" }],
    complete: [Lifecycle.complete("done", 30), { PROCESSING: "COMPLETED" }],
    fail: [Lifecycle.fail("error", "no", 30), { PROCESSING: "FAILED" }],
    retry: [Lifecycle.retry("error", "no", 99, 30), { PROCESSING: "PENDING" }],
    release: [Lifecycle.release(30), { PROCESSING: "PENDING" }],
    "rescue below the crash limit": [Lifecycle.rescue(2, 30), { PROCESSING: "PENDING" }],
    "rescue at the crash limit": [Lifecycle.rescue(1, 30), { PROCESSING: "FAILED" }],
    cancel: [Lifecycle.cancel(30), { PENDING: "FAILED", PROCESSING: "FAILED" }],
    "retry by hand": [Lifecycle.retryByHand(30), { FAILED: "PENDING" }],
    log: [Lifecycle.log(["line"], 30), { PROCESSING: "PROCESSING" }]
  }
  const statuses = ["PENDING", "PROCESSING", "COMPLETED", "FAILED"] as const
  for (const [name, [transition, targets]] of Object.entries(edges)) {
    for (const status of statuses) {
      const target = targets[status]
      it(`${status}: ${name} ${target === undefined ? "is refused" : `leads to ${target}`}`, () => {
        const result = transition(inStatus[status])
        if (target !== undefined) assert.strictEqual(Result.getOrThrow(result).status, target)
        else assert.strictEqual(Result.isFailure(result) ? result.failure.status : "moved", status)
      })
    }
  }
})

describe("Lifecycle: any sequence of transitions", () => {
  it.prop(
    "keeps what is true of every task and of every change",
    [TaskRequest, AnyTransitions],
    ([request, steps]) => {
      const task = Lifecycle.submit(request, { id: idOf(1), now: 1000, maxAttempts: 5 })
      invariants.holdFor(task)
      walk(task, steps, (before, changed, _, now) => {
        invariants.holdBetween(before, changed, now)
        invariants.holdFor(changed)
      })
    },
    many
  )

  it.prop(
    "counts attempts: a claim adds one, a release takes it back, nothing else does",
    [AnyTransitions],
    ([steps]) => {
      walk(submitted(1), steps, (before, changed, { name }) => {
        const change = name.startsWith("claim") ? 1 : name === "release" ? -1 : 0
        assert.strictEqual(changed.attempt - before.attempt, change)
      })
    },
    many
  )

  it.prop(
    "keeps the newest log lines and counts every one it dropped",
    [AnyTransitions],
    ([steps]) => {
      const said = [...submitted(1).logs]
      // a log that overflowed on its way here brings a full load of lines beside the count of the lost ones
      const real = steps.map((step) => (step.lines < limits.logLines ? { ...step, lost: 0 } : step))
      walk(submitted(1), real, (_, changed, step, now) => {
        const told = changed.logsDropped > 0 ? changed.logs.slice(1) : changed.logs
        const own = changed.logs.slice(-1)
        const logged = [...Array.from({ length: step.lost }, () => "lost"), ...linesOf(step, now)]
        if (step.name === "log") said.push(...logged)
        else if (step.name === "log and complete") said.push(...logged, ...own)
        else if (step.name === "claim and log") {
          const text = `attempt ${changed.attempt} of ${changed.maxAttempts} started`
          said.push(`${new Date(now).toISOString()} ${text}`, ...logged)
        } else said.push(...own)
        assert.deepStrictEqual(told, said.slice(-told.length || said.length))
        assert.strictEqual(changed.logsDropped, said.length - told.length)
      })
    },
    many
  )

  it.prop(
    "holds a verdict to its claim: after any other change than a log it comes too late",
    [AnyTransitions, AnyTransitions],
    ([first, then]) => {
      const waiting = walk(submitted(1), first, () => {})
      const claimed = Lifecycle.claim(waiting.updatedAt)(waiting)
      if (Result.isFailure(claimed)) return
      const verdict = Lifecycle.heldBy(claimed.success, Lifecycle.complete("mine", waiting.updatedAt + 1))
      assert.isTrue(Result.isSuccess(verdict(claimed.success)))
      let mine = true
      walk(claimed.success, then, (_, changed, { name }) => {
        mine &&= name === "log"
        assert.strictEqual(Result.isSuccess(verdict(changed)), mine)
      })
    },
    many
  )
})

describe("Lifecycle: single promises", () => {
  it("a claim released and claimed again within one millisecond refuses the verdict of the first", () => {
    const first = inStatus.PROCESSING
    const second = after(first, Lifecycle.release(10), Lifecycle.claim(10))
    assert.strictEqual(second.attempt, first.attempt)
    assert.isTrue(Result.isFailure(Lifecycle.heldBy(first, Lifecycle.complete("late", 11))(second)))
    assert.isTrue(Result.isSuccess(Lifecycle.heldBy(second, Lifecycle.complete("mine", 11))(second)))
  })

  it.each([1, 2, 3, 20, 25])("a task whose attempts die with the process is FAILED at crash limit %i", (limit) => {
    let task = submitted(1)
    let deaths = 0
    while (task.status === "PENDING") {
      task = after(task, claim, Lifecycle.rescue(limit, 20))
      deaths++
    }
    assert.strictEqual(deaths, Math.min(limit, limits.attempts))
    assert.strictEqual(task.failure?.reason, "crashed")
    assert.strictEqual(task.attempts.filter(({ outcome }) => outcome === "crashed").length, deaths)
  })

  it("of many attempts the newest 20 are kept, under the numbers they have", () => {
    let task = submitted(1, { maxAttempts: 100 })
    for (let n = 1; n <= 25; n++) task = after(task, Lifecycle.claim(n), Lifecycle.retry("error", "no", n, n))
    assert.strictEqual(task.attempt, 25)
    assert.deepStrictEqual(
      task.attempts.map(({ attempt }) => attempt),
      Array.from({ length: 20 }, (_, n) => n + 6)
    )
  })

  it("only crashes count towards the crash limit", () => {
    const retried = after(submitted(1), claim, Lifecycle.retry("error", "no", 10, 20))
    assert.strictEqual(after(retried, claim, Lifecycle.rescue(2, 30)).status, "PENDING")
  })

  it("a retry by hand gives one attempt more when none is left, and none when some are", () => {
    const spent = after(submitted(1, { maxAttempts: 1 }), claim, Lifecycle.fail("error", "no", 20))
    assert.strictEqual(after(spent, Lifecycle.retryByHand(30)).maxAttempts, 2)
    assert.strictEqual(after(inStatus.FAILED, Lifecycle.retryByHand(30)).maxAttempts, 5)
  })

  it("a cancel closes the running attempt as cancelled", () => {
    const cancelled = after(inStatus.PROCESSING, Lifecycle.cancel(30))
    assert.deepStrictEqual(
      cancelled.attempts.map(({ outcome }) => outcome),
      ["cancelled"]
    )
    assert.strictEqual(cancelled.failure?.reason, "cancelled")
  })

  it("two changes joined happen both or not at all", () => {
    const both = Lifecycle.andThen(Lifecycle.log(["line"], 20), Lifecycle.complete("done", 20))
    assert.strictEqual(after(inStatus.PROCESSING, both).revision, inStatus.PROCESSING.revision + 1)
    const never = Lifecycle.andThen(Lifecycle.log(["line"], 20), Lifecycle.claim(20))
    assert.isTrue(Result.isFailure(never(inStatus.PROCESSING)))
  })
})
