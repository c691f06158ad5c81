import { type Duration, Schema } from "effect"
import { inBody, InputIssue, summary } from "./InputIssues.ts"
import { TaskId, TaskStatus } from "./Task.ts"

/** No task has this id. */
export class TaskNotFound extends Schema.TaggedError<TaskNotFound>()("TaskNotFound", { taskId: TaskId }) {
  override get message() {
    return `No task has the id ${this.taskId}`
  }
}

/** The state machine has no such edge from where the task is. */
export class IllegalTransition extends Schema.TaggedError<IllegalTransition>()("IllegalTransition", {
  taskId: TaskId,
  transition: Schema.String,
  status: TaskStatus
}) {
  override get message() {
    return `A task that is ${this.status} cannot ${this.transition}`
  }
}

/** What is asked for does not fit the type it is asked of. Nothing has happened. */
export class InvalidContent extends Schema.TaggedError<InvalidContent>()("InvalidContent", {
  /** With the paths that the fields have in a request. */
  issues: Schema.Array(InputIssue)
}) {
  static of(error: Schema.SchemaError): InvalidContent {
    return new InvalidContent({ issues: inBody(error) })
  }
  override get message() {
    return summary(this.issues)
  }
}

/** The key came with another request before. Nothing has happened. */
export class IdempotencyKeyReused extends Schema.TaggedError<IdempotencyKeyReused>()("IdempotencyKeyReused", {
  key: Schema.String
}) {
  override get message() {
    return "The idempotency key was used for another request"
  }
}

/** An expected failure of an attempt, told by its runner. Anything unexpected is a defect. */
export class TaskFailure extends Schema.TaggedError<TaskFailure>()("TaskFailure", {
  message: Schema.String,
  /** Whether another attempt may succeed. */
  retryable: Schema.Boolean,
  /** Whether the task itself cannot be worked on, whoever tries: its content is not what its type says. */
  rejected: Schema.optionalKey(Schema.Boolean),
  /** The failure as the type of the task describes it. */
  data: Schema.optionalKey(Schema.Json),
  /** The runner's wish for the earliest next attempt; stands in place of the backoff. */
  retryAfter: Schema.optionalKey(Schema.Duration)
}) {}

/** The attempt was still running when its time was up. */
export class AttemptTimeout extends Schema.TaggedError<AttemptTimeout>()("AttemptTimeout", {
  after: Schema.Duration
}) {}

export const retryable = (message: string, retryAfter?: Duration.Duration): TaskFailure =>
  new TaskFailure({ message, retryable: true, ...(retryAfter === undefined ? {} : { retryAfter }) })

/** No attempt can ever succeed: the task is FAILED as `rejected`. */
export const rejected = (message: string): TaskFailure => new TaskFailure({ message, retryable: false, rejected: true })

export const permanent = (message: string): TaskFailure => new TaskFailure({ message, retryable: false })
