import { Effect, Layer, Stream } from "effect"
import { isFinished } from "../domain/Task.ts"
import type { TaskNotFound } from "../domain/TaskError.ts"
import { QueueUnavailable, TaskClient, type TaskEvent } from "../ports/TaskClient.ts"
import { Draining } from "./Draining.ts"
import { type EventId, isFinal, type Told } from "./Event.ts"
import { Orchestrator } from "./Orchestrator.ts"

/** The queue of this process. */
export const layer: Layer.Layer<TaskClient, never, Orchestrator | Draining> = Layer.effect(
  TaskClient,
  Effect.gen(function* () {
    const orchestrator = yield* Orchestrator
    const draining = yield* Draining
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
          let last: EventId | undefined
          let isOver = false
          const happenings = Effect.suspend(() =>
            Effect.map(orchestrator.followTask(id, last === undefined ? {} : { after: last }), (following) => {
              isOver ||= following.isOver
              const pieces = Effect.map(following.next, (told): readonly [ReadonlyArray<Told>] => [told])
              return Stream.fromPull(Effect.succeed(pieces))
            })
          )
          const follow: Stream.Stream<ReadonlyArray<Told>, TaskNotFound | QueueUnavailable> = Stream.unwrap(
            Effect.catchTag(happenings, "StorageError", unavailable)
          ).pipe(
            Stream.tap((told) =>
              Effect.sync(() => {
                isOver ||= told.some(isFinal)
                last = told.findLast(({ id }) => id !== undefined)?.id ?? last
              })
            ),
            Stream.concat(Stream.suspend(() => (isOver ? Stream.empty : again)))
          )
          // it was too slow, or what is told has begun anew
          const again = Stream.unwrap(
            Effect.map(draining.hasBegun, (hasBegun) => (hasBegun ? Stream.fail(stopping) : follow))
          )
          return follow.pipe(
            Stream.map((told) => told.flatMap(eventsOf)),
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
