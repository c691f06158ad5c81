import { Clock, Context, Effect, Layer, Option, Stream } from "effect"
import * as Flow from "../domain/Flow.ts"
import * as Lifecycle from "../domain/Lifecycle.ts"
import type { TaskId, VenomTask } from "../domain/Task.ts"
import { type IdempotencyKeyReused, type IllegalTransition, TaskNotFound } from "../domain/TaskError.ts"
import * as Why from "../domain/Why.ts"
import { type PageRequest, StateRepository, type TaskFilter, type TaskPage } from "../ports/StateRepository.ts"
import type { QueueFull, StorageError } from "../ports/StorageError.ts"
import { TypeLimits } from "../ports/TypeLimits.ts"
import * as BulkActions from "./BulkActions.ts"
import { TaskRunner } from "../ports/TaskRunner.ts"
import { Dispatcher } from "./Dispatcher.ts"
import { Draining } from "./Draining.ts"
import { EngineSettings } from "./EngineSettings.ts"
import { Events } from "./Events.ts"
import * as Submission from "./Submission.ts"

/** Tasks that a stream of all of them asks for at once. */
const streamPage = 500

/** Why the service would not take a task now; empty when it would. */
export type Readiness = ReadonlyArray<string>

/** Each task by itself: when storage refuses in the middle, what is done stays. */
type BulkAction = (
  filter: TaskFilter,
  expectation?: BulkActions.Expectation
) => Effect.Effect<BulkActions.BulkOutcome, StorageError | BulkActions.UnexpectedCount>

/** The use cases: what the outside may ask of Venom. */
export class Orchestrator extends Context.Service<
  Orchestrator,
  {
    /**
     * The task is durable when this returns, and PENDING; where an unfinished task has its `uniqueKey`, that one is
     * returned. `TaskNotFound` is about a task to copy.
     */
    readonly submit: (request: Submission.Requested) => Effect.Effect<VenomTask, Submission.SubmitError>
    /** Several of them, at most 1,000: all or none. Their ids grow in their order. */
    readonly submitAll: (
      requests: ReadonlyArray<Submission.Requested>
    ) => Effect.Effect<ReadonlyArray<VenomTask>, Submission.SubmitError>
    /** Submits once for each idempotency key within 24 hours: the same request again is answered with the first task. */
    readonly submitOnce: (
      key: string,
      request: Submission.Requested
    ) => Effect.Effect<
      { readonly task: Submission.Submitted; readonly replayed: boolean },
      Submission.SubmitError | IdempotencyKeyReused
    >
    readonly submitAllOnce: (
      key: string,
      requests: ReadonlyArray<Submission.Requested>
    ) => Effect.Effect<
      { readonly tasks: ReadonlyArray<Submission.Submitted>; readonly replayed: boolean },
      Submission.SubmitError | IdempotencyKeyReused
    >
    readonly get: (id: TaskId) => Effect.Effect<VenomTask, StorageError | TaskNotFound>
    /** A page, newest first. */
    readonly page: (filter: TaskFilter, request: PageRequest) => Effect.Effect<TaskPage, StorageError>
    /** All of them, newest first, in constant memory; each as it is when its turn comes. */
    readonly list: (filter: TaskFilter) => Stream.Stream<VenomTask, StorageError>
    /** What happens to one task, up to its final event. */
    readonly followTask: Events["Service"]["followTask"]
    /** What happens to all tasks. */
    readonly follow: Events["Service"]["follow"]
    /** The task when it is final, or as it is when the service begins to stop. */
    readonly awaitFinal: Events["Service"]["awaitFinal"]
    /** Final; a running attempt is interrupted and has ended when this returns. Who waits no longer only waits no longer. */
    readonly cancel: (id: TaskId) => Effect.Effect<VenomTask, StorageError | TaskNotFound | IllegalTransition>
    /** Gives a FAILED task another attempt. */
    readonly retry: (
      id: TaskId
    ) => Effect.Effect<VenomTask, StorageError | QueueFull | TaskNotFound | IllegalTransition>
    /** Deletes a finished task. */
    readonly remove: (id: TaskId) => Effect.Effect<void, StorageError | TaskNotFound | IllegalTransition>
    /** Cancels all matching tasks that are not finished; running attempts have ended when this returns. */
    readonly cancelAll: BulkAction
    /** Gives all matching FAILED tasks another attempt, as many as there is room for. */
    readonly retryAll: BulkAction
    /** Deletes all matching tasks that are finished. */
    readonly removeAll: BulkAction
    /** Every reason why a task is not done, at this moment. */
    readonly why: (id: TaskId) => Effect.Effect<Why.Answer, StorageError | TaskNotFound>
    readonly readiness: Effect.Effect<Readiness>
  }
>()("venom/engine/Orchestrator") {
  static readonly layer = Layer.effect(
    Orchestrator,
    Effect.gen(function* () {
      const repository = yield* StateRepository
      const dispatcher = yield* Dispatcher
      const { types } = yield* TaskRunner
      const typeLimits = yield* TypeLimits
      const draining = yield* Draining
      const { concurrency } = yield* EngineSettings
      const { awaitFinal, follow, followTask } = yield* Events
      const submission = yield* Submission.make
      const bulk = yield* BulkActions.make

      const get: Orchestrator["Service"]["get"] = Effect.fnUntraced(function* (id) {
        const task = yield* repository.get(id)
        return Option.isSome(task) ? task.value : yield* new TaskNotFound({ taskId: id })
      })

      /** Why nothing at all is claimed now. */
      const claimingStops = Effect.gen(function* () {
        const storage = yield* repository.health
        const dispatching = yield* dispatcher.health
        return [
          ...((yield* draining.hasBegun) ? ["draining: the service is shutting down"] : []),
          ...(storage._tag === "NotWritable" ? [`storage is not writable: ${storage.reason}`] : []),
          ...(dispatching._tag === "Restarting" ? [`the dispatcher died (${dispatching.deaths} times so far)`] : [])
        ]
      })

      return Orchestrator.of({
        ...submission,
        ...bulk,
        get,
        page: repository.page,
        followTask,
        follow,
        awaitFinal,
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
          return yield* repository.reopen(id, Lifecycle.retryByHand(now))
        }),
        remove: Effect.fn("Orchestrator.remove")((id) => repository.remove(id)),
        why: Effect.fn("Orchestrator.why")(function* (id) {
          const task = yield* get(id)
          const now = yield* Clock.currentTimeMillis
          const reasons = Why.of(task, {
            now,
            flow: Flow.within(yield* repository.flow, typeLimits),
            standing: yield* repository.standing(id, now, types),
            types,
            concurrency,
            runningHere: yield* dispatcher.running,
            service: yield* claimingStops
          })
          return { taskId: id, status: task.status, reasons, sentence: Why.sentence(task, reasons) }
        }),
        readiness: Effect.gen(function* () {
          const storage = yield* repository.health
          return [
            ...(yield* claimingStops),
            ...(storage._tag === "Full" ? [`storage is not writable for new tasks: ${storage.reason}`] : [])
          ]
        })
      })
    })
  )
}
