import { Context, type Effect, Schema, type Stream } from "effect"
import type { Progress, TaskId, TaskRequest, VenomTask } from "../domain/Task.ts"
import type { IdempotencyKeyReused, IllegalTransition, InvalidContent, TaskNotFound } from "../domain/TaskError.ts"

/** The queue does not take what it is asked for now, or cannot be reached. The same call may succeed later. */
export class QueueUnavailable extends Schema.TaggedError<QueueUnavailable>()("QueueUnavailable", {
  reason: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return `The queue is not available: ${this.reason}`
  }
}

/** Something that happened to a task. */
export type TaskEvent =
  | {
      readonly _tag: "Status"
      readonly task: Pick<VenomTask, "id" | "status" | "attempt" | "runAt" | "result" | "failure">
    }
  | { readonly _tag: "Log"; readonly line: string }
  | { readonly _tag: "Progress"; readonly progress: Progress }

export interface SubmitOptions {
  /** The same request with the same key again is answered with the first task, for 24 hours. */
  readonly idempotencyKey?: string | undefined
}

/** What a task is known by, and where it is. */
export type TaskReference = Pick<VenomTask, "id" | "status">

/**
 * A queue as those see it who submit tasks: in this process, or a service elsewhere.
 *
 * - A task is durable when `submit` returns.
 * - What fails with `QueueUnavailable` may be asked again; a submit without an idempotency key may then have happened.
 * - `wait` and `events` go on as long as the task takes, and outlast a restart of a service elsewhere. Interrupting them
 *   changes nothing for the task.
 */
export class TaskClient extends Context.Service<
  TaskClient,
  {
    readonly submit: (
      request: TaskRequest,
      options?: SubmitOptions
    ) => Effect.Effect<TaskReference, QueueUnavailable | InvalidContent | IdempotencyKeyReused>
    readonly get: (id: TaskId) => Effect.Effect<VenomTask, QueueUnavailable | TaskNotFound>
    /** The task when it is final. */
    readonly wait: (id: TaskId) => Effect.Effect<VenomTask, QueueUnavailable | TaskNotFound>
    /** A running attempt has ended when this returns. */
    readonly cancel: (id: TaskId) => Effect.Effect<VenomTask, QueueUnavailable | TaskNotFound | IllegalTransition>
    /** Begins with the status as it is, goes on with what happens, ends after the final status. */
    readonly events: (id: TaskId) => Stream.Stream<TaskEvent, QueueUnavailable | TaskNotFound>
  }
>()("venom/ports/TaskClient") {}
