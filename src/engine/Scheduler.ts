import { Clock, Duration, Effect, Layer, Option, Result } from "effect"
import { SecureRandom } from "effect/crypto"
import * as IsoTime from "../domain/IsoTime.ts"
import * as Lifecycle from "../domain/Lifecycle.ts"
import * as Schedule from "../domain/Schedule.ts"
import { type Instant, TaskId } from "../domain/Task.ts"
import { CallbackSender } from "../ports/CallbackSender.ts"
import { complete, RegisteredTypes } from "../ports/RegisteredTypes.ts"
import type { Entry, Put } from "../ports/Entry.ts"
import { StateRepository } from "../ports/StateRepository.ts"
import { Draining } from "./Draining.ts"
import { EngineSettings } from "./EngineSettings.ts"
import * as Schedules from "./Schedules.ts"
import { sleepUntil } from "./SleepUntil.ts"

/** A slot found so much later than the longest sleep can explain has passed while nobody looked. */
const tolerance = Duration.toMillis("10 seconds")

/** The pause after storage refused, and after a defect. */
const pause = "1 second"

/** Schedules that have their turn at once. */
const together = 64

interface Known {
  readonly schedule: Schedule.Schedule
  readonly revision: number
}

/**
 * Makes the tasks of schedules, each when its slot comes. A slot's task and the mark that it is done with are one
 * change: no crash runs a slot twice or forgets that it ran. Sleeps until the next slot or a change of a schedule.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const repository = yield* StateRepository
    const { changed } = yield* Schedules.Schedules
    const { longestSleep, maxAttempts } = yield* EngineSettings
    const callbacks = yield* CallbackSender
    const draining = yield* Draining
    const random = yield* SecureRandom.SecureRandom
    const longest = Duration.toMillis(longestSleep)
    const types = yield* RegisteredTypes
    const known = new Map<string, Known>()
    /** Slots before it passed unseen; unknown after a refusal, until the next try. */
    let attentiveSince: Instant | undefined
    let isOut = false
    let led = 0

    const learn = (name: string, entry: Option.Option<Entry>): Effect.Effect<void> => {
      known.delete(name)
      if (Option.isNone(entry)) return Effect.void
      const schedule = Schedules.fromEntry(entry.value)
      if (Option.isNone(schedule)) return Effect.logError(`${name} is no schedule that this version knows: it rests`)
      known.set(name, { schedule: schedule.value, revision: entry.value.revision })
      return Effect.void
    }

    const load = Effect.flatMap(repository.entries(Schedules.prefix), (entries) => {
      known.clear()
      return Effect.forEach(entries, (entry) => learn(entry.name, Option.some(entry)), { discard: true })
    })

    const putOf = (name: string, { revision }: Known, done: Schedule.Schedule, now: Instant): Put => ({
      name,
      value: Schedules.toValue(done),
      expects: revision,
      expiresAt: null,
      now
    })

    const run = Effect.fnUntraced(function* (name: string, held: Known, step: Schedule.Step, now: Instant) {
      if (step._tag === "Skip") {
        const { done, first, last } = step
        yield* repository.put(putOf(name, held, done, now))
        yield* Effect.logWarning(
          `The schedule ${done.name} has missed its slots from ${IsoTime.format(first)} to ${IsoTime.format(last)}`
        )
        return done
      }
      const { done, slot } = step
      // content that its type knows no longer is told of by the task that has it
      const task = yield* Effect.orElseSucceed(complete(types, step.task), () => step.task)
      const id = TaskId.make(yield* random.uuidV7())
      const by = `the schedule ${held.schedule.name} for ${IsoTime.format(slot)}`
      const hasCallback = callbacks?.isFor(task.type ?? "default") ?? false
      const made = Lifecycle.submit(task, { id, now, maxAttempts, by, hasCallback })
      // an unfinished task may have its unique key: then this run is that one
      const [ran = made] = yield* repository.insert([made], ([ran = made]) => putOf(name, held, done(ran.id), now))
      return done(ran.id)
    })

    /** All that is to be done about the slots of one schedule that have come. */
    const catchUp = Effect.fnUntraced(function* (name: string) {
      for (;;) {
        const held = known.get(name)
        const now = yield* Clock.currentTimeMillis
        const since = Math.max(attentiveSince ?? now, now - longest - tolerance)
        const step = held === undefined ? undefined : Schedule.step(held.schedule, now, since)
        if (held === undefined || step === undefined) return
        yield* run(name, held, step, now).pipe(
          Effect.flatMap((schedule) => Effect.sync(() => known.set(name, { schedule, revision: held.revision + 1 }))),
          // somebody else has changed it: what it is now counts
          Effect.catchTag("EntryChanged", ({ entry }) => learn(name, entry))
        )
      }
    })

    const nextRun = (): Instant | undefined => {
      let next: Instant | undefined
      for (const { schedule } of known.values()) {
        if (schedule.nextRun !== null) next = Math.min(next ?? schedule.nextRun, schedule.nextRun)
      }
      return next
    }

    const step = Effect.gen(function* () {
      const lead = yield* repository.lead
      if (lead !== led) {
        led = lead
        // another one has done it until now
        yield* changed.open
      }
      const now = yield* Clock.currentTimeMillis
      // also when the clock was set back
      attentiveSince = Math.min(attentiveSince ?? now, now)
      if (changed.isOpen()) {
        yield* changed.close
        yield* Effect.onError(load, () => changed.open)
      }
      const due = Array.from(known.keys()).filter((name) => (known.get(name)?.schedule.nextRun ?? Infinity) <= now)
      const results = yield* Effect.forEach(due, (name) => Effect.result(catchUp(name)), { concurrency: together })
      for (const result of results) if (Result.isFailure(result)) return yield* result.failure
      isOut = false
      const next = nextRun()
      yield* next === undefined ? changed.await : Effect.raceFirst(changed.await, sleepUntil(next, longest))
    })

    const awaitStorage = (error: { readonly message: string }) =>
      Effect.suspend(() => {
        attentiveSince = undefined
        const told = isOut ? Effect.void : Effect.logWarning("Schedules wait: no task can be made", error.message)
        isOut = true
        return Effect.andThen(told, Effect.sleep(pause))
      })

    // it may not end unseen: without it no schedule runs any more
    const schedule = step.pipe(
      Effect.catchTags({ StorageError: awaitStorage, QueueFull: awaitStorage, StorageFull: awaitStorage }),
      Effect.catchDefect((defect) =>
        Effect.andThen(Effect.logError("The scheduler met a defect", defect), Effect.sleep(pause))
      )
    )
    yield* Effect.forkScoped(Effect.raceFirst(Effect.forever(schedule), draining.awaitBegin))
  })
)
