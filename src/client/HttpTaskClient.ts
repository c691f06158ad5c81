import { Effect, Layer, Stream } from "effect"
import { isFinished, type TaskId } from "../domain/Task.ts"
import { IdempotencyKeyReused, IllegalTransition, InvalidContent, TaskNotFound } from "../domain/TaskError.ts"
import { QueueUnavailable, TaskClient } from "../ports/TaskClient.ts"
import * as TaskEvents from "./TaskEvents.ts"
import { VenomClient } from "./VenomClient.ts"

/** What a request asks the service to wait at most before it answers; then it is asked again. */
const patience = { prefer: "wait=60" }

/** The queue of a service elsewhere. Types of tasks submit to it and hear from it as to the queue of this process. */
export const layer: Layer.Layer<TaskClient, never, VenomClient> = Layer.effect(
  TaskClient,
  Effect.gen(function* () {
    const client = yield* VenomClient

    const get = (id: TaskId, headers: { readonly prefer?: string } = {}) =>
      client.tasks.get({ params: { id }, headers }).pipe(
        Effect.map(({ body }) => body),
        Effect.mapError((error) => (error._tag === "TaskNotFound" ? notFound(error) : unavailable(error)))
      )

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
      get: (id) => get(id),
      wait: (id) => Effect.repeat(get(id, patience), { until: isFinished }),
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
          client.events.ofTask({
            params: { id },
            headers: lastEventId === undefined ? {} : { "last-event-id": lastEventId }
          })
        ).pipe(Stream.mapError((error) => (error._tag === "TaskNotFound" ? notFound(error) : unavailable(error))))
    })
  })
)

const notFound = ({ task_id: taskId }: { readonly task_id: TaskId }) => new TaskNotFound({ taskId })

const unavailable = (error: { readonly message: string }) =>
  new QueueUnavailable({ reason: error.message, cause: error })
