import { Cause, Context, Deferred, Effect, Exit, Fiber, Latch, Layer, Option, type Scope, Stream } from "effect"
import { isFinished, type Progress, type TaskId, type VenomTask } from "../domain/Task.ts"
import { TaskNotFound } from "../domain/TaskError.ts"
import { type Change, StateRepository, type TaskFilter } from "../ports/StateRepository.ts"
import type { StorageError } from "../ports/StorageError.ts"
import { Draining } from "./Draining.ts"
import * as Event from "./Event.ts"
import { Follower, type Following, TaskFollower } from "./Following.ts"
import { History, type HistoryBounds } from "./History.ts"
import * as Listeners from "./Listeners.ts"

export interface EventsOptions {
  /** Kept for those who come back. */
  readonly history: HistoryBounds
  /** What the reader of one task may leave behind. */
  readonly reader: HistoryBounds
}

const defaults: EventsOptions = {
  history: { events: 32_768, bytes: 16 * 1024 * 1024 },
  reader: { events: 1024, bytes: 1024 * 1024 }
}

/** The pause after a death. */
const pause = "1 second"

/** How long a reader is waited for who knows more than is known here. */
const longestBehind = "2 seconds"

export interface FollowOptions {
  /** The last event that the reader has; it goes on after that one. */
  readonly after?: Event.EventId
}

/**
 * Tells what happens to tasks to whoever listens, in the order in which it became durable. Keeps the newest events,
 * so that a reader can go on where it was; where that is not possible any more, it is told how things stand.
 */
export class Events extends Context.Service<
  Events,
  {
    /** One task from its present state, or from the event after, up to its final event. */
    readonly followTask: (
      id: TaskId,
      options?: FollowOptions
    ) => Effect.Effect<Following, StorageError | TaskNotFound, Scope.Scope>
    /** All tasks, from now on or from the event after. */
    readonly follow: (
      filter: TaskFilter,
      options?: FollowOptions
    ) => Effect.Effect<Following, StorageError, Scope.Scope>
    /** The task when it is final, or as it is when the service begins to stop. */
    readonly awaitFinal: (id: TaskId) => Effect.Effect<VenomTask, StorageError | TaskNotFound>
    /** How far an attempt is now, for those who follow its task. */
    readonly tellProgress: (id: TaskId, progress: Progress) => void
  }
>()("venom/engine/Events") {
  static readonly layerWith = (options: EventsOptions) =>
    Layer.effect(
      Events,
      Effect.gen(function* () {
        const repository = yield* StateRepository
        const draining = yield* Draining
        const readers = new Listeners.Listeners<TaskId, TaskFollower>()
        const waiters = new Listeners.Listeners<TaskId, Deferred.Deferred<Option.Option<VenomTask>>>()
        const followers = new Set<Follower>()
        /** Those who wait until what they have read has been told. */
        const behind = new Set<Deferred.Deferred<void>>()
        let history = new History(0, options.history)
        let isOver = false

        const tell = (change: Change): void => {
          const { after, position } = change
          const task = Option.fromUndefinedOr(change.task)
          const happening = Event.happening(change)
          history.add(position, happening)
          if (after === undefined || happening === undefined) return
          for (const reader of readers.of(after.id)) reader.offer(Event.of(happening))
          if (!isFinished(after)) return
          for (const waiter of waiters.of(after.id)) Deferred.doneUnsafe(waiter, Effect.succeed(task))
        }

        const tellAll = (changes: ReadonlyArray<Change>): void => {
          for (const change of changes) tell(change)
          for (const follower of followers) follower.wake()
          wakeBehind()
        }

        const wakeBehind = (): void => {
          for (const one of Array.from(behind)) Deferred.doneUnsafe(one, Effect.void)
        }

        const endAll = (): void => {
          for (const reader of readers.all()) reader.end()
          for (const follower of followers) follower.end()
          for (const waiter of waiters.all()) Deferred.doneUnsafe(waiter, Effect.succeed(Option.none()))
        }

        /** Changes before the place that the history begins at may be told; none after it is missed. */
        const listen = Effect.gen(function* () {
          const changes = Stream.runForEach(repository.changes, (told) => Effect.sync(() => tellAll(told)))
          const listening = yield* Effect.forkScoped(changes, { startImmediately: true })
          const position = yield* repository.position
          const past = yield* repository.past
          history = new History((past[0]?.position ?? position + 1) - 1, options.history)
          for (const change of past) history.add(change.position, Event.happening(change))
          history.add(position, undefined)
          return listening
        })

        const gap = yield* Latch.make(false)
        const noteGap = Stream.runForEach(repository.gaps, () => gap.open)
        yield* Effect.forkScoped(noteGap, { startImmediately: true })

        let listening = yield* listen
        const supervise = Effect.gen(function* () {
          const death = yield* Effect.raceFirst(
            Effect.asSome(Fiber.await(listening)),
            Effect.as(gap.await, Option.none())
          )
          if (Option.isSome(death)) {
            yield* Effect.logError(
              "Nothing is told of tasks any more; it begins anew",
              Exit.isFailure(death.value) ? death.value.cause : Cause.empty
            )
            yield* Effect.sleep(pause)
          } else {
            yield* Effect.logWarning("What has happened to some tasks may not have been told; it is read anew")
            yield* gap.close
            yield* Fiber.interrupt(listening)
          }
          listening = yield* listen
          // who has listened meanwhile may have missed something: readers come back, waiters look again
          endAll()
          wakeBehind()
        })
        yield* Effect.forkScoped(Effect.forever(supervise))
        yield* Effect.forkScoped(
          Effect.map(draining.awaitBegin, () => {
            isOver = true
            endAll()
          })
        )

        const get = Effect.fnUntraced(function* (id: TaskId) {
          const task = yield* repository.get(id)
          return Option.isSome(task) ? task.value : yield* new TaskNotFound({ taskId: id })
        })

        /** Or the history has begun anew: then it may be long until there. */
        const caughtUp = (position: number, waitedIn = history): Effect.Effect<void> =>
          Effect.suspend(() => {
            if (history !== waitedIn || history.position >= position) return Effect.void
            const told = Deferred.makeUnsafe<void>()
            behind.add(told)
            const waited = Effect.ensuring(
              Deferred.await(told),
              Effect.sync(() => behind.delete(told))
            )
            return Effect.andThen(waited, caughtUp(position, waitedIn))
          })

        /** What a reader has may have been told by another process, a moment before it is here. */
        const known = (after: Event.EventId | undefined): Effect.Effect<void> =>
          repository.isShared && after !== undefined && after > history.newest
            ? Effect.ignore(Effect.timeoutOption(caughtUp(Event.positionOf(after)), longestBehind))
            : Effect.void

        /** Something read, and a place in the history: it has all that is told up to there, and may have more. */
        const readWithPlace = Effect.fnUntraced(function* <A, E>(read: Effect.Effect<A, E>) {
          for (;;) {
            const position = yield* repository.position
            const found = yield* read
            yield* caughtUp(position)
            const place = Event.idAfter(position)
            if (history.reaches(place)) return { found, place }
          }
        })

        const readerOf = (task: VenomTask, place: Event.EventId, after: Event.EventId | undefined): TaskFollower => {
          const bounds = options.reader
          if (after !== undefined && history.reaches(after)) {
            const first = history.ofTask(task.id, after)
            if (first.length <= bounds.events) {
              return new TaskFollower({ first, seen: 0, isOver: first.length === 0 && isFinished(task), bounds })
            }
          }
          // storage may show a claim before it is told
          const later = history.ofTask(task.id, place).filter((event) => event.task.revision > task.revision)
          const first = [...Event.present(task, place, after === undefined ? "Status" : "Reset"), ...later]
          return new TaskFollower({ first, seen: task.revision, isOver: false, bounds })
        }

        return Events.of({
          followTask: Effect.fnUntraced(function* (id, { after } = {}) {
            yield* known(after)
            const { found, place } = yield* readWithPlace(get(id))
            return yield* Effect.acquireRelease(
              Effect.sync(() => {
                const reader = readerOf(found, place, after)
                readers.add(id, reader)
                if (isOver) reader.end()
                return reader
              }),
              (reader) => Effect.sync(() => readers.remove(id, reader))
            )
          }),
          follow: Effect.fnUntraced(function* (filter, { after } = {}) {
            yield* known(after)
            const { found: counts, place } = yield* readWithPlace(repository.counts)
            return yield* Effect.acquireRelease(
              Effect.sync(() => {
                const reached = after !== undefined && history.reaches(after)
                const follower = new Follower({
                  first: after === undefined || reached ? [] : [{ _tag: "Reset", id: place, counts }],
                  begin: reached ? after : place,
                  history,
                  wanted: ({ task }) => Event.matches(filter, task)
                })
                followers.add(follower)
                if (isOver) follower.end()
                return follower
              }),
              (follower) => Effect.sync(() => followers.delete(follower))
            )
          }),
          awaitFinal: Effect.fnUntraced(function* (id) {
            for (;;) {
              const found = yield* Effect.acquireUseRelease(
                Effect.sync(() => {
                  const waiter = Deferred.makeUnsafe<Option.Option<VenomTask>>()
                  waiters.add(id, waiter)
                  return waiter
                }),
                (waiter) =>
                  Effect.flatMap(get(id), (task) =>
                    isFinished(task) || isOver
                      ? Effect.succeed(Option.some(task))
                      : // whoever tells it goes on first
                        Effect.tap(Deferred.await(waiter), () => Effect.yieldNow)
                  ),
                (waiter) => Effect.sync(() => waiters.remove(id, waiter))
              )
              if (Option.isSome(found)) return found.value
            }
          }),
          tellProgress: (id, progress) => {
            for (const reader of readers.of(id))
              reader.offer([{ _tag: "Progress", id: undefined, task: { id }, progress }])
          }
        })
      })
    )

  static readonly layer = Events.layerWith(defaults)
}
