import { Effect, type Option, Result, Schema, Stream } from "effect"
import { summary } from "../domain/InputIssues.ts"
import { FailureReason, isFinished, type Progress, TaskId, type VenomTask } from "../domain/Task.ts"
import type { IllegalTransition, TaskNotFound } from "../domain/TaskError.ts"
import type { QueueUnavailable, TaskClient, TaskEvent } from "../ports/TaskClient.ts"
import type { JsonCodec } from "./JsonCodec.ts"

/** The task is FAILED, and its type has no failure of its own for that: it was cancelled, it took too long. */
export class TaskFailed extends Schema.TaggedError<TaskFailed>()("TaskFailed", {
  taskId: TaskId,
  reason: FailureReason,
  /** What the task says of it. */
  said: Schema.String
}) {
  override get message() {
    return `Task ${this.taskId} failed (${this.reason}): ${this.said}`
  }
}

/** The task is not what its type says: another version of the type has made it, or another type. */
export class UnreadableTask extends Schema.TaggedError<UnreadableTask>()("UnreadableTask", {
  taskId: TaskId,
  said: Schema.String
}) {
  override get message() {
    return `Task ${this.taskId} cannot be read: ${this.said}`
  }
}

/** What became of a task: its result, its own failure, or a failure of no type. */
export type Outcome<S, F> = Result.Result<S, F | TaskFailed>

/** Something that happened to a typed task. */
export type TypedEvent<S, F> =
  | {
      readonly _tag: "Status"
      readonly status: VenomTask["status"]
      readonly attempt: number
      readonly runAt: number
      /** Where the status is final. */
      readonly outcome: Option.Option<Outcome<S, F>>
    }
  | { readonly _tag: "Log"; readonly line: string }
  | { readonly _tag: "Progress"; readonly progress: Progress }

/** A submitted task of a type. */
export interface TaskHandle<S, F> {
  readonly id: TaskId
  /** Its result when it is COMPLETED; fails when it is FAILED. */
  readonly await: Effect.Effect<S, F | TaskFailed | UnreadableTask | TaskNotFound | QueueUnavailable>
  /** What became of it; none as long as it is not final. */
  readonly poll: Effect.Effect<Option.Option<Outcome<S, F>>, UnreadableTask | TaskNotFound | QueueUnavailable>
  /** A running attempt has ended when this returns. */
  readonly cancel: Effect.Effect<void, TaskNotFound | IllegalTransition | QueueUnavailable>
  /** What happens to it, from its present status to the final one. */
  readonly events: Stream.Stream<TypedEvent<S, F>, UnreadableTask | TaskNotFound | QueueUnavailable>
}

/** What a handle has to know of the type of its task. */
export interface Reading<S, F> {
  readonly name: string
  readonly success: JsonCodec<S>
  readonly failure: JsonCodec<F>
}

export const make = <S, F>(reading: Reading<S, F>, client: TaskClient["Service"], id: TaskId): TaskHandle<S, F> => {
  const outcome = outcomeOf(reading, id)
  const ofType = (task: VenomTask) =>
    task.type === reading.name
      ? Effect.succeed(task)
      : Effect.fail(new UnreadableTask({ taskId: id, said: `it is of type ${task.type}, not ${reading.name}` }))

  const event = (told: TaskEvent): Effect.Effect<TypedEvent<S, F>, UnreadableTask> => {
    if (told._tag !== "Status") return Effect.succeed(told)
    const { attempt, runAt, status } = told.task
    return Effect.map(whereFinal(told.task, outcome), (outcome) => ({
      _tag: "Status",
      status,
      attempt,
      runAt,
      outcome
    }))
  }

  return {
    id,
    await: client.wait(id).pipe(Effect.flatMap(ofType), Effect.flatMap(outcome), Effect.flatMap(Effect.fromResult)),
    poll: client.get(id).pipe(
      Effect.flatMap(ofType),
      Effect.flatMap((task) => whereFinal(task, outcome))
    ),
    cancel: Effect.asVoid(client.cancel(id)),
    events: Stream.mapEffect(client.events(id), event)
  }
}

type End = Pick<VenomTask, "status" | "result" | "failure">

const whereFinal = <A, E>(task: End, outcome: (end: End) => Effect.Effect<A, E>): Effect.Effect<Option.Option<A>, E> =>
  isFinished(task) ? Effect.asSome(outcome(task)) : Effect.succeedNone

const outcomeOf =
  <S, F>({ failure, name, success }: Reading<S, F>, taskId: TaskId) =>
  (end: End): Effect.Effect<Outcome<S, F>, UnreadableTask> => {
    if (end.failure === null) {
      return success.fromText(end.result ?? "").pipe(
        Effect.map(Result.succeed),
        Effect.mapError(
          (issues) => new UnreadableTask({ taskId, said: `its result is not one of ${name}: ${summary(issues)}` })
        )
      )
    }
    const { data, message, reason } = end.failure
    const failed = new TaskFailed({ taskId, reason, said: message })
    // what another version of the type has failed with can still be told in words
    const own: Effect.Effect<F | TaskFailed> =
      data === undefined ? Effect.succeed(failed) : Effect.orElseSucceed(failure.fromJson(data), () => failed)
    return Effect.map(own, Result.fail)
  }
