import { Clock, Duration, Effect, Fiber, FiberSet, Latch, Layer, Option, Random, Stream } from "effect"
import * as Callback from "../domain/Callback.ts"
import type { Instant, TaskId, VenomTask } from "../domain/Task.ts"
import { CallbackSender } from "../ports/CallbackSender.ts"
import { StateRepository } from "../ports/StateRepository.ts"
import { Draining } from "./Draining.ts"
import { EngineSettings } from "./EngineSettings.ts"
import { sleepUntil } from "./SleepUntil.ts"
import * as TaskSpan from "./TaskSpan.ts"
import * as TypeSeries from "./TypeSeries.ts"

/** Callbacks under way at once: of all types, and of one, so that a receiver that never answers holds up its own alone. */
const together = 32
const ofOneType = 4

/** How long a receiver may take. */
const sendWithin = Duration.seconds(30)

/** The pause after storage refused, and after a defect; also between two looks through all that waits. */
const pause = Duration.seconds(1)

/** Tasks read at once at the start. */
const pageSize = 500

type Owing = Pick<VenomTask, "id" | "type">

/** What is owed, by when it is due. */
class Owed {
  /** By type, each in the order in which it became due. */
  readonly #due = new Map<string, Set<TaskId>>()
  readonly #later = new Map<TaskId, { readonly type: string; readonly at: Instant }>()
  readonly #sending = new Map<TaskId, string>()
  #earliest = Number.POSITIVE_INFINITY

  /** A task as it is now; whether its callback is due. */
  note(task: Pick<VenomTask, "id" | "type" | "callback">, now: Instant): boolean {
    const { callback, id, type } = task
    this.forget(task)
    if (callback?.state !== "owed" || callback.nextAt === null) return false
    if (callback.nextAt <= now) {
      this.add(task)
      return true
    }
    this.#later.set(id, { type, at: callback.nextAt })
    this.#earliest = Math.min(this.#earliest, callback.nextAt)
    return false
  }

  add({ id, type }: Owing): void {
    const ids = this.#due.get(type) ?? new Set()
    ids.add(id)
    this.#due.set(type, ids)
  }

  forget({ id, type }: Owing): void {
    this.#due.get(type)?.delete(id)
    this.#later.delete(id)
  }

  /** The next ones to be told, as many as there is room for; they are under way until they are `done`. */
  begin(): ReadonlyArray<Owing> {
    const begun: Array<Owing> = []
    for (const [type, ids] of Array.from(this.#due)) {
      let room = ofOneType - Array.from(this.#sending.values()).filter((other) => other === type).length
      for (const id of ids) {
        if (room <= 0 || this.#sending.size >= together) break
        if (this.#sending.has(id)) continue
        ids.delete(id)
        this.#sending.set(id, type)
        begun.push({ id, type })
        room--
      }
      // the next time it comes after the others
      this.#due.delete(type)
      if (ids.size > 0) this.#due.set(type, ids)
    }
    return begun
  }

  done({ id }: Owing): void {
    this.#sending.delete(id)
  }

  /** Makes due what has become so, and tells when there may be more. A look through all, so not at any moment. */
  turnTo(now: Instant): Instant {
    if (this.#earliest > now) return this.#earliest
    this.#earliest = Number.POSITIVE_INFINITY
    for (const [id, { at, type }] of this.#later) {
      if (at <= now) {
        this.#later.delete(id)
        this.add({ id, type })
      } else this.#earliest = Math.min(this.#earliest, at)
    }
    this.#earliest = Math.max(this.#earliest, now + Duration.toMillis(pause))
    return this.#earliest
  }
}

/**
 * Tells the outside that tasks have ended: at least once each, across restarts, until it was heard or 24 hours have
 * passed. That a task's end is to be told is part of the change that ends it, and what comes of it another change.
 * Where nobody is to be told it does nothing.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const sender = yield* CallbackSender
    if (sender === undefined) return
    const repository = yield* StateRepository
    const draining = yield* Draining
    const longest = Duration.toMillis((yield* EngineSettings).longestSleep)
    const senders = yield* FiberSet.make()
    const mayHaveWork = yield* Latch.make(true)
    const owed = new Owed()
    const inSpan = yield* TaskSpan.make
    const context = yield* Effect.context()
    const told = TypeSeries.counter("venom_callbacks_total", "Tries to tell the end of a task, by what came of them")

    const note = (task: Pick<VenomTask, "id" | "type" | "callback">) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        if (owed.note(task, now)) mayHaveWork.openUnsafe()
      })

    const listen = Stream.runForEach(repository.changes, (changes) =>
      Effect.forEach(
        changes,
        ({ after, before }) => {
          if (after?.callback !== undefined) return note(after)
          return Effect.sync(() => (before?.callback === undefined ? undefined : owed.forget(before)))
        },
        { discard: true }
      )
    )

    /** What a process before has left. */
    const load = Effect.forEach(["COMPLETED", "FAILED"] as const, (status) =>
      Stream.paginate(Option.none<TaskId>(), (before) =>
        Effect.map(
          repository.page(
            { status, owed: true },
            { limit: pageSize, ...(Option.isSome(before) ? { before: before.value } : {}) }
          ),
          ({ more, tasks }) => [
            tasks,
            more ? Option.map(Option.fromUndefinedOr(tasks.at(-1)), ({ id }) => Option.some(id)) : Option.none()
          ]
        )
      ).pipe(
        Stream.runForEach(({ id }) =>
          // it may have changed since it was read
          Effect.flatMap(repository.get(id), (task) => (Option.isSome(task) ? note(task.value) : Effect.void))
        )
      )
    )

    /** What came of it, until storage has it. */
    const settle = (task: VenomTask, outcome: Callback.Outcome): Effect.Effect<void> =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const settled = yield* repository.update(
          task.id,
          Callback.settle(task, outcome, { chance: yield* Random.next, now })
        )
        const { callback, type } = settled
        if (callback === undefined) return
        told(type, callback.state === "owed" ? "failed" : callback.state).updateUnsafe(1, context)
        if (callback.state !== "given_up") return
        yield* Effect.logWarning(`The callback was given up: ${callback.lastError}`)
      }).pipe(
        Effect.catchTags({
          // deleted, or run again by hand
          TaskNotFound: () => Effect.void,
          IllegalTransition: () => Effect.void,
          StorageError: () => Effect.andThen(Effect.sleep(pause), settle(task, outcome))
        })
      )

    const outcomeOf = (task: VenomTask) =>
      sender.send(task).pipe(
        Effect.as<Callback.Outcome>({ _tag: "Delivered" }),
        Effect.timeoutOrElse({
          duration: sendWithin,
          orElse: () => failed(`no answer within ${Duration.format(sendWithin)}`)
        }),
        Effect.catchTag("TaskFailure", ({ message, retryAfter, retryable }) =>
          failed(message, retryable, retryAfter === undefined ? 0 : Duration.toMillis(retryAfter))
        ),
        Effect.catchDefect((defect) =>
          Effect.andThen(Effect.logError("Sending a callback met a defect", defect), failed("a defect of the sender"))
        )
      )

    const later = (owing: Owing) =>
      Effect.andThen(
        Effect.sleep(pause),
        Effect.sync(() => owed.add(owing))
      )

    const deliver = (owing: Owing) =>
      Effect.gen(function* () {
        const { id } = owing
        const found = yield* repository.get(id)
        // it may have been told since it became due, and even be due later
        if (Option.isNone(found) || !Callback.isDue(found.value, yield* Clock.currentTimeMillis)) return
        const task = found.value
        yield* inSpan(task, spanOf(task), (tell) =>
          Effect.tap(outcomeOf(task), (outcome) => tell(endOf(outcome)))
        ).pipe(
          Effect.flatMap((outcome) => settle(task, outcome)),
          Effect.annotateLogs({ task_id: id })
        )
      }).pipe(
        Effect.catchTag("StorageError", () => later(owing)),
        // nobody joins this fiber
        Effect.catchDefect((defect) =>
          Effect.andThen(Effect.logError("A callback met a defect", defect), later(owing))
        ),
        Effect.ensuring(
          Effect.sync(() => {
            owed.done(owing)
            mayHaveWork.openUnsafe()
          })
        )
      )

    const step = Effect.gen(function* () {
      yield* repository.lead
      yield* mayHaveWork.close
      const next = owed.turnTo(yield* Clock.currentTimeMillis)
      for (const owing of owed.begin()) yield* FiberSet.run(senders, deliver(owing))
      yield* Number.isFinite(next) ? Effect.raceFirst(mayHaveWork.await, sleepUntil(next, longest)) : mayHaveWork.await
    })

    const loadAll: Effect.Effect<void> = Effect.catchTag(load, "StorageError", () =>
      Effect.andThen(Effect.sleep(pause), loadAll)
    )

    const watch = Effect.gen(function* () {
      const listening = yield* Effect.forkChild(listen, { startImmediately: true })
      const missing = Stream.runForEach(repository.gaps, () => loadAll)
      const loading = yield* Effect.forkChild(missing, { startImmediately: true })
      yield* loadAll
      yield* Effect.raceFirst(Fiber.join(listening), Fiber.join(loading))
    })

    // neither may end unseen: without them nobody is told anything any more
    const forever = <A>(work: Effect.Effect<A>) =>
      work.pipe(
        Effect.catchDefect((defect) =>
          Effect.andThen(Effect.logError("Telling of ended tasks met a defect", defect), Effect.sleep(pause))
        ),
        Effect.forever
      )
    yield* Effect.forkScoped(forever(watch), { startImmediately: true })
    yield* Effect.forkScoped(Effect.raceFirst(forever(step), draining.awaitBegin))
  })
)

const spanOf = ({ callback }: VenomTask) => ({
  operation: "callback",
  kind: "producer" as const,
  attributes: { "messaging.operation.type": "send", "venom.callback.attempt": (callback?.attempts ?? 0) + 1 }
})

const endOf = ({ _tag }: Callback.Outcome): TaskSpan.End =>
  _tag === "Delivered" ? { outcome: "delivered", isFailure: false } : { outcome: "failed", isFailure: true }

const failed = (message: string, retryable = true, retryAfter = 0): Effect.Effect<Callback.Outcome> =>
  Effect.succeed({ _tag: "Failed", message, retryable, retryAfter })
