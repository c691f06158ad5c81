import { assert, describe, it } from "vitest"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { toJson } from "../../src/domain/TaskJson.ts"
import { after, submitted } from "../support/tasks.ts"
import * as History from "../../src/dashboard/History.ts"
import type * as Wire from "../../src/dashboard/Wire.ts"
import { at, wireTask as task } from "./wireTask.ts"

const attempt = (n: number, from: number, until: number | null, outcome: Wire.Attempt["outcome"]): Wire.Attempt => ({
  attempt: n,
  started_at: at(from),
  finished_at: until === null ? null : at(until),
  outcome,
  error: outcome === "error" ? "no" : null
})

const told = (given: Wire.Task) =>
  History.of(given).map(({ from, title, until }) => [title, until === undefined ? undefined : (until - from) / 1000])

describe("the history of a task", () => {
  it("has every wait and every attempt, with how long it took", () => {
    const attempts = [attempt(1, 2, 5, "error"), attempt(2, 9, 10, "completed")]
    assert.deepStrictEqual(told(task({ status: "COMPLETED", attempts, finished_at: at(10) })), [
      ["Submitted", 0],
      ["Waiting", 2],
      ["Attempt 1 failed", 3],
      ["Waiting after attempt 1", 4],
      ["Attempt 2 completed", 1],
      ["Completed", 0]
    ])
  })

  it("goes on with what is not over yet", () => {
    assert.deepStrictEqual(told(task({})).at(-1), ["Waiting", undefined])
    const running = task({ status: "PROCESSING", attempts: [attempt(1, 1, null, null)] })
    assert.deepStrictEqual(told(running).at(-1), ["Attempt 1 is running", undefined])
    const retried = task({ attempts: [attempt(1, 1, 2, "error")] })
    assert.deepStrictEqual(told(retried).at(-1), ["Waiting after attempt 1", undefined])
  })

  it("tells of a task that was cancelled while it waited", () => {
    const failure = { reason: "cancelled", message: "cancelled on request" } as const
    const [last, wait] = History.of(task({ status: "FAILED", failure, finished_at: at(7) })).toReversed()
    assert.deepInclude(wait, { title: "Waiting", until: Date.parse(at(7)) })
    assert.deepInclude(last, { title: "Failed: cancelled", error: "cancelled on request" })
  })

  it("does not call it waiting, what was before the first attempt that is kept", () => {
    const attempts = [attempt(30, 100, 101, "error"), attempt(31, 102, 103, "completed")]
    assert.strictEqual(told(task({ status: "COMPLETED", attempts, finished_at: at(103) }))[1]?.[0], "Attempt 30 failed")
  })

  it("has each line of the log where it belongs, those of the same millisecond too", () => {
    const logs = [
      `${at(0)} submitted`,
      `${at(0)} attempt 1 of 5 started`,
      `${at(0)} hello`,
      `${at(0)} attempt 1 failed (error): no; next one in 2 s`,
      `${at(1)} somebody looked`,
      `${at(2)} attempt 2 of 5 started`,
      "a line without its time"
    ]
    const attempts = [attempt(1, 0, 0, "error"), attempt(2, 2, null, null)]
    const parts = History.of(task({ status: "PROCESSING", attempts, logs }))
    assert.deepStrictEqual(
      parts.map(({ logs, title }) => [title, logs.map(({ text }) => text)]),
      [
        ["Submitted", ["submitted", "a line without its time"]],
        ["Waiting", []],
        ["Attempt 1 failed", ["attempt 1 of 5 started", "hello", "attempt 1 failed (error): no; next one in 2 s"]],
        ["Waiting after attempt 1", ["somebody looked"]],
        ["Attempt 2 is running", ["attempt 2 of 5 started"]]
      ]
    )
  })

  it("does not take what a program says for what the service says of another attempt", () => {
    const logs = [
      `${at(0)} submitted`,
      `${at(1)} attempt 1 of 5 started`,
      `${at(2)} attempt 1 failed (error): no; next one in 2 s`,
      `${at(4)} attempt 2 of 5 started`,
      `${at(6)} attempt 1 to reach the mirror failed`,
      `${at(7)} attempt 1 completed`
    ]
    const attempts = [attempt(1, 1, 2, "error"), attempt(2, 4, null, null)]
    const parts = History.of(task({ status: "PROCESSING", attempts, logs }))
    assert.deepStrictEqual(
      parts.filter(({ kind }) => kind === "attempt").map(({ logs }) => logs.map(({ text }) => text)),
      [
        ["attempt 1 of 5 started", "attempt 1 failed (error): no; next one in 2 s"],
        ["attempt 2 of 5 started", "attempt 1 to reach the mirror failed", "attempt 1 completed"]
      ]
    )
  })

  it("knows each sentence that the service says of an attempt, also where the clock went back", () => {
    const lived = after(
      submitted(1, { maxAttempts: 9 }),
      Lifecycle.claim(500),
      Lifecycle.retry("error", "no route", 900, 400),
      Lifecycle.claim(400),
      Lifecycle.rescue(3, 300),
      Lifecycle.claim(300),
      Lifecycle.complete("done", 200)
    )
    const failed = after(submitted(1), Lifecycle.claim(500), Lifecycle.fail("rejected", "no", 400))
    for (const one of [lived, failed]) {
      const parts = History.of(JSON.parse(toJson(one)))
      const told = parts.flatMap(({ logs, title }) => logs.map(({ text }): [string, string] => [title, text]))
      assert.lengthOf(told, one.logs.length)
      for (const [title, text] of told) {
        const [, attempt] = /^attempt (\d+)/.exec(text) ?? []
        if (attempt !== undefined) assert.match(title, new RegExp(`^Attempt ${attempt} `), text)
      }
    }
  })
})
