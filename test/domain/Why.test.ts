import { assert, describe, it } from "@effect/vitest"
import type { Flow } from "../../src/domain/Flow.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import type { TaskRequest, VenomTask } from "../../src/domain/Task.ts"
import * as Why from "../../src/domain/Why.ts"
import { after, submitted } from "../support/tasks.ts"

const free: Why.Situation = {
  now: 10_000,
  flow: { paused: false, types: {}, keys: {} },
  standing: { ahead: 0, running: 0, runningOfType: 0, runningOfKey: 0, nextSlot: null },
  concurrency: 64,
  runningHere: 0,
  service: []
}

const why = (task: VenomTask, situation: Partial<Why.Situation> = {}) => {
  const reasons = Why.of(task, { ...free, ...situation })
  return [reasons.map(({ code }) => code), Why.sentence(task, reasons)] as const
}

const of = (request: Partial<TaskRequest>) => submitted(1, request, 0)

describe("why a task is not running", () => {
  it("says each reason in words", () => {
    const retried = after(of({}), Lifecycle.claim(1000), Lifecycle.retry("timeout", "too slow", 18_000, 2000))
    assert.deepStrictEqual(why(of({})), [[], "Nothing stands in its way: it is the next to be claimed."])
    assert.deepStrictEqual(why(of({ runAt: 70_000 })), [["not_due"], "Not due until 1970-01-01T00:01:10.000Z, in 1m."])
    assert.deepStrictEqual(why(retried), [
      ["waiting_for_retry"],
      "Attempt 2 of 5 comes after timeout (too slow), in 8s."
    ])
    const flow: Flow = {
      paused: true,
      concurrency: 3,
      types: { mail: { paused: true, rate: { limit: 10, per: "1 minute" } }, sms: { concurrency: 2 } },
      keys: { "tenant-7": { concurrency: 5 } },
      eachKey: 1
    }
    const standing = { ahead: 3204, running: 3, runningOfType: 2, runningOfKey: 5, nextSlot: 12_100 }
    assert.deepStrictEqual(
      why(of({ type: "mail", concurrencyKey: "tenant-7", deadline: 10_000 }), {
        flow,
        standing,
        runningHere: 64,
        service: ["storage is not writable: EIO"]
      }),
      [
        [
          "deadline_passed",
          "paused",
          "type_paused",
          "key_limit",
          "queue_limit",
          "rate_limit",
          "no_free_slot",
          "tasks_ahead",
          "service"
        ],
        "Its deadline was 1970-01-01T00:00:10.000Z; the queue is paused; type mail is paused; " +
          "limit of key tenant-7 reached (5 of 5); limit of the queue reached (3 of 3); " +
          "rate of type mail reached (10 in 1m), next slot in 2s 100ms; all 64 slots of this process are taken; " +
          "3,204 tasks are ahead of it; storage is not writable: EIO."
      ]
    )
    assert.deepStrictEqual(
      why(of({ type: "sms" }), {
        flow: { ...flow, paused: false, concurrency: 9 },
        standing: { ...standing, ahead: 1, nextSlot: null }
      }),
      [["type_limit", "tasks_ahead"], "Limit of type sms reached (2 of 2); 1 task is ahead of it."]
    )
    const types = new Set(["mail"])
    assert.deepStrictEqual(why(of({ type: "sms" }), { types }), [["no_handler"], "No handler for type sms here."])
    assert.deepStrictEqual(why(of({ type: "mail" }), { types })[0], [])
  })

  it("says what became of it, and how long it has been running", () => {
    const running = after(of({}), Lifecycle.claim(4000))
    assert.deepStrictEqual(why(running), [["running"], "Attempt 1 of 5 has been running for 6s."])
    assert.deepStrictEqual(
      why(after(running, Lifecycle.progress({ percent: 40, message: "half" }, 5000)))[1],
      "Attempt 1 of 5 has been running for 6s, 40 % half."
    )
    assert.deepStrictEqual(why(after(running, Lifecycle.complete("done", 5000))), [
      [],
      "It was completed by attempt 1."
    ])
    assert.deepStrictEqual(why(after(running, Lifecycle.cancel(5000))), [
      [],
      "It failed for good: cancelled, cancelled on request."
    ])
  })
})
