import { Effect, Layer, Stream } from "effect"
import { isFinished } from "../domain/Task.ts"
import { QueueUnavailable, TaskClient, type TaskEvent } from "../ports/TaskClient.ts"
import { isFinal, type Told } from "./Event.ts"
import { Orchestrator } from "./Orchestrator.ts"

/** The queue of this process. */
export const layer: Layer.Layer<TaskClient, never, Orchestrator> = Layer.effect(
  TaskClient,
  Effect.gen(function* () {
    const orchestrator = yield* Orchestrator
    return TaskClient.of({
      submit: (request, { idempotencyKey } = {}) =>
        (idempotencyKey === undefined
          ? orchestrator.submit(request)
          : Effect.map(orchestrator.submitOnce(idempotencyKey, request), ({ task }) => task)
        ).pipe(
          Effect.catchTags({
            StorageError: unavailable,
            QueueFull: unavailable,
            StorageFull: unavailable,
            ServiceDraining: unavailable,
            // it is about a task to copy
            TaskNotFound: Effect.die
          })
        ),
      get: (id) => Effect.catchTag(orchestrator.get(id), "StorageError", unavailable),
      wait: (id) =>
        orchestrator.awaitFinal(id).pipe(
          Effect.catchTag("StorageError", unavailable),
          Effect.filterOrFail(isFinished, () => stopping)
        ),
      cancel: (id) => Effect.catchTag(orchestrator.cancel(id), "StorageError", unavailable),
      events: (id) =>
        Stream.suspend(() => {
          let isOver = false
          const happenings = Effect.map(orchestrator.followTask(id), ({ next }) => {
            const pieces = Effect.map(next, (told): readonly [ReadonlyArray<Told>] => [told])
            return Stream.fromPull(Effect.succeed(pieces))
          })
          return Stream.unwrap(Effect.catchTag(happenings, "StorageError", unavailable)).pipe(
            Stream.map((told) => {
              isOver ||= told.some(isFinal)
              return told.flatMap(eventsOf)
            }),
            Stream.concat(Stream.suspend(() => (isOver ? Stream.empty : Stream.fail(stopping)))),
            Stream.flattenIterable
          )
        })
    })
  })
)

const stopping = new QueueUnavailable({ reason: "the service is shutting down" })

const unavailable = (error: { readonly message: string }) =>
  Effect.fail(new QueueUnavailable({ reason: error.message, cause: error }))

const eventsOf = (told: Told): ReadonlyArray<TaskEvent> => {
  switch (told._tag) {
    case "Log":
      return [{ _tag: "Log", line: told.line }]
    case "Progress":
      return [{ _tag: "Progress", progress: told.progress }]
    case "Status":
      return [{ _tag: "Status", task: told.task }]
    case "Reset":
      return "task" in told ? [{ _tag: "Status", task: told.task }] : []
  }
}
