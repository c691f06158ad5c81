import { Clock, Context, Effect, Layer, Option, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import * as Lifecycle from "../domain/Lifecycle.ts"
import { TaskId, type TaskRequest, type VenomTask } from "../domain/Task.ts"
import { type IllegalTransition, TaskNotFound } from "../domain/TaskError.ts"
import {
  type PageRequest,
  type QueueFull,
  StateRepository,
  type StorageError,
  type StorageFull,
  type TaskFilter,
  type TaskPage
} from "../ports/StateRepository.ts"
import { Dispatcher } from "./Dispatcher.ts"
import { Draining, type ServiceDraining } from "./Draining.ts"
import { EngineSettings } from "./EngineSettings.ts"

/** Tasks that a stream of all of them asks for at once. */
const streamPage = 500

/** Why the service would not take a task now; empty when it would. */
export type Readiness = ReadonlyArray<string>

/** The use cases: what the outside may ask of Venom. */
export class Orchestrator extends Context.Service<
  Orchestrator,
  {
    /** The task is durable, and PENDING, when this returns. */
    readonly submit: (
      request: TaskRequest
    ) => Effect.Effect<VenomTask, StorageError | QueueFull | StorageFull | ServiceDraining>
    readonly get: (id: TaskId) => Effect.Effect<VenomTask, StorageError | TaskNotFound>
    /** A page, newest first. */
    readonly page: (filter: TaskFilter, request: PageRequest) => Effect.Effect<TaskPage, StorageError>
    /** All of them, newest first, in constant memory; each as it is when its turn comes. */
    readonly list: (filter: TaskFilter) => Stream.Stream<VenomTask, StorageError>
    /** Final; a running attempt is interrupted and has ended when this returns. Who waits no longer only waits no longer. */
    readonly cancel: (id: TaskId) => Effect.Effect<VenomTask, StorageError | TaskNotFound | IllegalTransition>
    /** Gives a FAILED task another attempt. */
    readonly retry: (id: TaskId) => Effect.Effect<VenomTask, StorageError | TaskNotFound | IllegalTransition>
    readonly readiness: Effect.Effect<Readiness>
  }
>()("venom/engine/Orchestrator") {
  static readonly layer = Layer.effect(
    Orchestrator,
    Effect.gen(function* () {
      const repository = yield* StateRepository
      const dispatcher = yield* Dispatcher
      const settings = yield* EngineSettings
      const draining = yield* Draining
      const random = yield* SecureRandom.SecureRandom
      const newId = Effect.map(random.uuidV7(), (uuid) => TaskId.make(uuid))

      return Orchestrator.of({
        submit: Effect.fnUntraced(function* (request) {
          yield* draining.refuse
          const now = yield* Clock.currentTimeMillis
          const task = Lifecycle.submit(request, { id: yield* newId, now, maxAttempts: settings.maxAttempts })
          const [made = task] = yield* Effect.catchTag(repository.insert([task]), "EntryChanged", Effect.die)
          return made
        }),
        get: Effect.fnUntraced(function* (id) {
          const task = yield* repository.get(id)
          return Option.isSome(task) ? task.value : yield* new TaskNotFound({ taskId: id })
        }),
        page: repository.page,
        list: (filter) =>
          Stream.paginate(Option.none<TaskId>(), (before) =>
            Effect.map(
              repository.page(filter, {
                limit: streamPage,
                ...(Option.isSome(before) ? { before: before.value } : {})
              }),
              ({ more, tasks }) => [
                tasks,
                more ? Option.map(Option.fromUndefinedOr(tasks.at(-1)), ({ id }) => Option.some(id)) : Option.none()
              ]
            )
          ),
        cancel: Effect.fn("Orchestrator.cancel")(function* (id) {
          const now = yield* Clock.currentTimeMillis
          const task = yield* repository.update(id, Lifecycle.cancel(now))
          yield* dispatcher.interrupt(task)
          return task
        }, Effect.uninterruptible),
        retry: Effect.fn("Orchestrator.retry")(function* (id) {
          const now = yield* Clock.currentTimeMillis
          return yield* repository.update(id, Lifecycle.retryByHand(now))
        }),
        readiness: Effect.gen(function* () {
          const storage = yield* repository.health
          const dispatching = yield* dispatcher.health
          return [
            ...((yield* draining.hasBegun) ? ["draining: the service is shutting down"] : []),
            ...(storage._tag === "NotWritable" ? [`storage is not writable: ${storage.reason}`] : []),
            ...(storage._tag === "Full" ? [`storage is not writable for new tasks: ${storage.reason}`] : []),
            ...(dispatching._tag === "Restarting" ? [`the dispatcher died (${dispatching.deaths} times so far)`] : [])
          ]
        })
      })
    })
  )
}
