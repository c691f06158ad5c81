import { Effect, Layer, Stream } from "effect"
import { TaskNotFound as TaskNotFoundProblem } from "../api/Problem.ts"
import type { TaskId } from "../domain/Task.ts"
import { IdempotencyKeyReused, IllegalTransition, InvalidContent, TaskNotFound } from "../domain/TaskError.ts"
import { QueueUnavailable, TaskClient } from "../ports/TaskClient.ts"
import * as Patience from "./Patience.ts"
import * as TaskEvents from "./TaskEvents.ts"
import { VenomClient } from "./VenomClient.ts"

/**
 * The queue of a service elsewhere. Types of tasks submit to it and hear from it as to the queue of this process.
 *
 * `wait` and `events` outlast a start of the service: they ask again until it has been away for five minutes.
 */
export const layer: Layer.Layer<TaskClient, never, VenomClient> = Layer.effect(
  TaskClient,
  Effect.gen(function* () {
    const client = yield* VenomClient

    return TaskClient.of({
      submit: (payload, { idempotencyKey } = {}) =>
        client.tasks
          .submit({ payload, headers: idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey } })
          .pipe(
            Effect.map(({ body }) => ({ id: body.taskId, status: body.status })),
            Effect.mapError((error) => {
              switch (error._tag) {
                case "InvalidRequest":
                case "ContentTooLarge":
                  return new InvalidContent({ issues: error.errors ?? [{ path: "", message: error.message }] })
                case "IdempotencyKeyReused":
                  return new IdempotencyKeyReused({ key: idempotencyKey ?? "" })
                default:
                  return unavailable(error)
              }
            })
          ),
      get: (id) =>
        client.tasks.get({ params: { id }, headers: {} }).pipe(
          Effect.map(({ body }) => body),
          Effect.mapError(unread)
        ),
      wait: (id) => Effect.mapError(Patience.untilFinal(client, id, true), unread),
      cancel: (id) =>
        client.actions.cancel({ params: { id } }).pipe(
          Effect.map(({ body }) => body),
          Effect.mapError((error) => {
            switch (error._tag) {
              case "TaskNotFound":
                return notFound(error)
              case "IllegalTransition":
                return new IllegalTransition({ taskId: id, transition: "be cancelled", status: error.task_status })
              default:
                return unavailable(error)
            }
          })
        ),
      events: (id) =>
        TaskEvents.follow((lastEventId) =>
          client.events
            .ofTask({
              params: { id },
              headers: lastEventId === undefined ? {} : { "last-event-id": lastEventId }
            })
            .pipe(Effect.retry({ schedule: Patience.away, while: Patience.isPassing }))
        ).pipe(Stream.mapError(unread))
    })
  })
)

const unread = (error: TaskNotFoundProblem | { readonly _tag: string; readonly message: string }) =>
  error instanceof TaskNotFoundProblem ? notFound(error) : unavailable(error)

const notFound = ({ task_id: taskId }: { readonly task_id: TaskId }) => new TaskNotFound({ taskId })

const unavailable = (error: { readonly message: string }) =>
  new QueueUnavailable({ reason: error.message, cause: error })
