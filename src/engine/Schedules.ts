import { Clock, Context, Effect, Latch, Layer, Option, Schema, Stream } from "effect"
import { within } from "../domain/InputIssues.ts"
import * as Schedule from "../domain/Schedule.ts"
import { InvalidContent } from "../domain/TaskError.ts"
import { complete, RegisteredTypes } from "../ports/RegisteredTypes.ts"
import type { Entry } from "../ports/Entry.ts"
import { StateRepository } from "../ports/StateRepository.ts"
import type { StorageError } from "../ports/StorageError.ts"
import { Draining, type ServiceDraining } from "./Draining.ts"

export const prefix = "schedule/"
const nameOf = (name: string): string => `${prefix}${name}`

const decode = Schema.decodeUnknownOption(Schedule.Schedule)
const encode = Schema.encodeSync(Schedule.Schedule)
const decodeName = Schema.decodeUnknownEffect(Schema.Struct({ name: Schedule.ScheduleName }))
const decodeRequest = Schema.decodeUnknownEffect(Schema.toType(Schedule.ScheduleRequest), { errors: "all" })

/** What is kept of a schedule. */
export const toValue = (schedule: Schedule.Schedule): Schema.Json => encode(schedule)

/** The schedule that is kept in an entry; none where it is not one of this version. */
export const fromEntry = ({ value }: Entry): Option.Option<Schedule.Schedule> => decode(value)

/** The use cases: what the outside may ask about schedules. */
export class Schedules extends Context.Service<
  Schedules,
  {
    /** By name. */
    readonly list: Effect.Effect<ReadonlyArray<Schedule.Schedule>, StorageError>
    readonly get: (name: string) => Effect.Effect<Schedule.Schedule, StorageError | Schedule.ScheduleNotFound>
    /** Makes a schedule, or puts it in the place of the one with its name: what has run is kept. */
    readonly put: (
      name: string,
      request: Schedule.ScheduleRequest
    ) => Effect.Effect<
      { readonly schedule: Schedule.Schedule; readonly isNew: boolean },
      StorageError | ServiceDraining | InvalidContent
    >
    /** The tasks it has made stay. */
    readonly remove: (name: string) => Effect.Effect<void, StorageError | Schedule.ScheduleNotFound>
    /** Open at first, and again after every change that was asked for here. */
    readonly changed: Latch.Latch
  }
>()("venom/engine/Schedules") {
  static readonly layer = Layer.effect(
    Schedules,
    Effect.gen(function* () {
      const repository = yield* StateRepository
      const draining = yield* Draining
      const types = yield* RegisteredTypes
      const changed = yield* Latch.make(true)

      /** Changes the newest state of an entry, whoever else changes it meanwhile. */
      const change = Effect.fnUntraced(function* <A, E>(
        name: string,
        decide: (
          before: Option.Option<Entry>,
          now: number
        ) => Effect.Effect<{ readonly value: Schema.Json | undefined; readonly told: A }, E>
      ) {
        const now = yield* Clock.currentTimeMillis
        for (let before = yield* repository.entry(nameOf(name)); ;) {
          const { told, value } = yield* decide(before, now)
          const expects = Option.match(before, { onNone: () => 0, onSome: ({ revision }) => revision })
          const other = yield* repository
            .put({ name: nameOf(name), value, expects, expiresAt: null, now })
            .pipe(Effect.as(undefined), Effect.catchTag("EntryChanged", Effect.succeed))
          if (other === undefined) {
            yield* changed.open
            return told
          }
          before = other.entry
        }
      })

      /** It, and what its tasks will be asked for. */
      const checked = Effect.fnUntraced(function* (name: string, request: Schedule.ScheduleRequest) {
        yield* Effect.mapError(decodeName({ name }), InvalidContent.of)
        const { task } = yield* Effect.mapError(decodeRequest(request), InvalidContent.of)
        yield* Effect.mapError(
          complete(types, task),
          ({ issues }) =>
            new InvalidContent({ issues: issues.map(({ message, path }) => ({ path: within("task", path), message })) })
        )
      })

      yield* Effect.forkScoped(
        Stream.runForEach(repository.changedEntries, (name) => (name.startsWith(prefix) ? changed.open : Effect.void))
      )

      const notFound = (name: string) => new Schedule.ScheduleNotFound({ name })

      return Schedules.of({
        list: Effect.map(repository.entries(prefix), (entries) =>
          entries.flatMap((entry) => Option.toArray(fromEntry(entry)))
        ),
        get: (name) =>
          Effect.flatMap(repository.entry(nameOf(name)), (entry) =>
            Option.match(Option.flatMap(entry, fromEntry), {
              onNone: () => Effect.fail(notFound(name)),
              onSome: Effect.succeed
            })
          ),
        put: Effect.fn("Schedules.put")(function* (name, request) {
          yield* draining.refuse
          yield* checked(name, request)
          return yield* change(name, (before, now) => {
            const known = Option.getOrUndefined(Option.flatMap(before, fromEntry))
            const schedule = Schedule.make(name, request, known, now)
            return Effect.succeed({ value: toValue(schedule), told: { schedule, isNew: Option.isNone(before) } })
          })
        }),
        remove: Effect.fn("Schedules.remove")((name) =>
          change(name, (before) =>
            Option.isNone(before) ? Effect.fail(notFound(name)) : Effect.succeed({ value: undefined, told: undefined })
          )
        ),
        changed
      })
    })
  )
}
