import { assert } from "@effect/vitest"
import { limits, type VenomTask } from "../../src/domain/Task.ts"

const timed = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z /

/** What is true of every task, however it got where it is. */
export const holdFor = (task: VenomTask): void => {
  const finished = task.status === "COMPLETED" || task.status === "FAILED"
  assert.strictEqual(task.result !== null, task.status === "COMPLETED", "a result: COMPLETED, and only then")
  assert.strictEqual(task.failure !== null, task.status === "FAILED", "a failure: FAILED, and only then")
  assert.strictEqual(task.finishedAt !== null, finished, "finished_at: when finished, and only then")
  assert.isAtLeast(task.attempt, 0)
  assert.isAtMost(task.attempts.length, limits.attempts)
  const open = task.attempts.filter(({ finishedAt }) => finishedAt === null)
  assert.deepStrictEqual(open, task.status === "PROCESSING" ? task.attempts.slice(-1) : [], "only the last is open")
  for (const attempt of task.attempts) {
    assert.strictEqual(attempt.outcome === null, attempt.finishedAt === null, "an outcome when it ended")
  }
  if (task.status === "PROCESSING") {
    assert.strictEqual(task.attempts.at(-1)?.attempt, task.attempt)
    assert.strictEqual(task.attempts.at(-1)?.startedAt, task.startedAt)
  }
  assert.isAtMost(task.logs.length, limits.logLines)
  for (const line of task.logs) {
    assert.match(line, timed)
    assert.isAtMost(line.length, limits.logLineChars)
    assert.notMatch(line, /[\n\r\u2028\u2029]/)
  }
  assert.strictEqual(
    task.logsDropped > 0,
    task.logs[0]?.includes(` ${task.logsDropped} earlier lines were dropped`) ?? false,
    "the first line says how many were dropped"
  )
}

/** What is true of every change. */
export const holdBetween = (before: VenomTask, after: VenomTask, now: number): void => {
  assert.notStrictEqual(before.status, "COMPLETED", "COMPLETED is final")
  assert.strictEqual(after.revision, before.revision + 1)
  assert.strictEqual(after.updatedAt, now)
  for (const field of ["id", "content", "createdAt", "type", "priority", "tags"] as const) {
    assert.strictEqual(after[field], before[field], field)
  }
  assert.isAtLeast(after.maxAttempts, before.maxAttempts)
}
