import { Effect, Schema } from "effect"
import { assert } from "vitest"
import type { Answer } from "./Http.ts"

/** What the contract promises on the wire, written down anew: nothing here comes from the sources. */
const Time = Schema.String.check(Schema.isPattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/))
const Id = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
)
const Outcome = Schema.Literals(["completed", "error", "defect", "timeout", "cancelled", "crashed", "rejected"])

export const Task = Schema.Struct({
  id: Id,
  content: Schema.String,
  created_at: Time,
  status: Schema.Literals(["PENDING", "PROCESSING", "COMPLETED", "FAILED"]),
  result: Schema.NullOr(Schema.String),
  logs: Schema.Array(Schema.String),
  type: Schema.String,
  priority: Schema.Int,
  run_at: Time,
  updated_at: Time,
  started_at: Schema.NullOr(Time),
  finished_at: Schema.NullOr(Time),
  attempt: Schema.Int,
  max_attempts: Schema.Int,
  attempts: Schema.Array(
    Schema.Struct({
      attempt: Schema.Int,
      started_at: Time,
      finished_at: Schema.NullOr(Time),
      outcome: Schema.NullOr(Outcome),
      error: Schema.NullOr(Schema.String)
    })
  ),
  failure: Schema.NullOr(
    Schema.Struct({
      reason: Schema.Literals(["error", "defect", "timeout", "cancelled", "crashed", "rejected"]),
      message: Schema.String
    })
  ),
  callback: Schema.optionalKey(
    Schema.Struct({
      state: Schema.Literals(["waiting", "owed", "delivered", "given_up"]),
      attempts: Schema.Int,
      last_error: Schema.NullOr(Schema.String),
      next_at: Schema.NullOr(Time),
      delivered_at: Schema.NullOr(Time)
    })
  )
})
export type Task = typeof Task.Type

export const isFinal = ({ status }: Task): boolean => status === "COMPLETED" || status === "FAILED"

const Submitted = Schema.Struct({ task_id: Id, status: Schema.Literal("PENDING") })

export const Problem = Schema.Struct({
  type: Schema.String,
  title: Schema.String,
  status: Schema.Int,
  detail: Schema.String,
  instance: Schema.optionalKey(Schema.String),
  errors: Schema.optionalKey(Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String })))
})
export type Problem = typeof Problem.Type

const decode = <A>(schema: Schema.Codec<A, unknown>, text: string): Effect.Effect<A> =>
  Effect.orDie(Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(text))

/** The fields of a task agree with its status. */
const hold = (task: Task): Task => {
  const { attempt, attempts, failure, finished_at, logs, result, started_at, status } = task
  assert.strictEqual(result !== null, status === "COMPLETED", `result of ${status}`)
  assert.strictEqual(failure !== null, status === "FAILED", `failure of ${status}`)
  assert.strictEqual(finished_at !== null, isFinal(task), `finished_at of ${status}`)
  if (status === "PROCESSING") assert.isNotNull(started_at)
  if (attempt === 0) assert.deepStrictEqual(attempts, [])
  const running = attempts.filter(({ outcome }) => outcome === null)
  assert.lengthOf(running, status === "PROCESSING" ? 1 : 0)
  for (const line of logs) assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /)
  assert.isAtMost(logs.length, 200)
  return task
}

export const taskOf = (answer: Answer): Effect.Effect<Task> => {
  assert.strictEqual(answer.status, 200, answer.text)
  assert.match(`${answer.headers["content-type"]}`, /^application\/json/)
  return taskIn(answer.text)
}

export const tasksOf = (answer: Answer): Effect.Effect<ReadonlyArray<Task>> => {
  assert.strictEqual(answer.status, 200, answer.text)
  return Effect.map(decode(Schema.Array(Task), answer.text), (tasks) => tasks.map(hold))
}

/** The id in the answer to a submit. */
export const submittedIn = (answer: Answer): Effect.Effect<string> => {
  assert.strictEqual(answer.status, 201, answer.text)
  return Effect.map(decode(Submitted, answer.text), ({ task_id }) => {
    assert.strictEqual(answer.headers["location"], `/api/v1/tasks/${task_id}`)
    return task_id
  })
}

/** The problem document in an answer with this status. */
export const problemIn = (answer: Answer, status: number): Effect.Effect<Problem> => {
  assert.strictEqual(answer.status, status, answer.text)
  assert.match(`${answer.headers["content-type"]}`, /^application\/problem\+json/)
  assert.strictEqual(answer.headers["content-length"], `${Buffer.byteLength(answer.text)}`)
  return Effect.map(decode(Problem, answer.text), (problem) => {
    assert.strictEqual(problem.status, status)
    // of headers that are too large the path is not known
    if (status !== 431) assert.match(`${problem.instance}`, /^\//)
    return problem
  })
}

const Dump = Schema.Struct({
  format: Schema.Literal("venom-state"),
  version: Schema.Literal(1),
  tasks: Schema.Array(Task)
})

export const taskIn = (text: string): Effect.Effect<Task> => Effect.map(decode(Task, text), hold)

export const dumpOf = (text: string): Effect.Effect<ReadonlyArray<Task>> =>
  Effect.map(decode(Dump, text), ({ tasks }) => tasks.map(hold))
