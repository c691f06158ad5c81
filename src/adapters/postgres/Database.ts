import { Cause, Clock, Duration, Effect, Fiber, Option, Predicate, Schema } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { ConnectionError, isSqlError, SqlError } from "effect/sql/SqlError"
import type { StorageHealth } from "../../ports/Storage.ts"
import { StorageError } from "../../ports/StorageError.ts"
import { deepest } from "./Trouble.ts"

/** A statement has failed. */
export class Failed extends StorageError.extend<Failed>("Failed")({
  /** Nothing is known of what it has done: the answer was lost, not the question. */
  isDoubtful: Schema.Boolean,
  /** There is no connection. */
  isAway: Schema.Boolean,
  /** Another one stood in the way; the same statement may succeed at once. */
  isCrossed: Schema.Boolean,
  /** What must be there once is there already. */
  isTaken: Schema.Boolean
}) {}

/** For the operator, in words. */
const reasonOf = (error: SqlError): string => {
  const words = deepest(error)?.words ?? ""
  return `PostgreSQL: ${(words === "" ? error.message : words).replace(/^Pg\w+: /, "")}`
}

const failure = (error: SqlError, isDoubtful: boolean) =>
  new Failed({
    reason: reasonOf(error),
    cause: error,
    isDoubtful,
    isAway: error.reason.operation === "connect",
    isCrossed: error.reason._tag === "DeadlockError" || error.reason._tag === "SerializationError",
    isTaken: error.reason._tag === "UniqueViolation"
  })

type Row = Readonly<Record<string, unknown>>

/** Whether the server itself has said that it has not done it, and lives on. */
const isRefusal = ({ reason: { cause, operation } }: SqlError): boolean =>
  operation === "connect" ||
  (Predicate.hasProperty(cause, "severityUnlocalized") &&
    cause.severityUnlocalized !== "FATAL" &&
    cause.severityUnlocalized !== "PANIC")

/** What is refused for no reason of its own: the server only reads, has no room left, is about to end, or is damaged. */
const ofAll = /^(25006|53...|57(?!014)...|XX...)$/

const isTrouble = (error: SqlError): boolean =>
  !isRefusal(error) || error.reason.operation === "connect" || ofAll.test(deepest(error)?.code ?? "")

/** The server itself ends what takes longer than 30 seconds: without its word for so long there is no connection. */
const longest = "40 seconds"

const silence = new SqlError({
  reason: new ConnectionError({ cause: undefined, message: "no answer in time", operation: "query" })
})

/**
 * Ends in time, also where nothing may be interrupted: work that has to be given up is not waited for, since it takes
 * some seconds more to end where the network is silent. Until then it is of a fiber of its own.
 */
const inTime = <A, E>(work: Effect.Effect<A, E>, within: Duration.Input): Effect.Effect<A, E | SqlError> =>
  Effect.flatMap(Effect.forkDetach(Effect.interruptible(work)), (fiber) =>
    Effect.callback<A, E | SqlError>((resume) => {
      const timer = setTimeout(() => {
        // first: what only waits for a connection ends at once when it is interrupted, and that would be the answer
        resume(Effect.fail(silence))
        fiber.interruptUnsafe()
      }, Duration.toMillis(within))
      fiber.addObserver((exit) => {
        clearTimeout(timer)
        resume(exit)
      })
      return Effect.andThen(
        Effect.sync(() => clearTimeout(timer)),
        Fiber.interrupt(fiber)
      )
    })
  )

/** The statements of this adapter, and how the database is. */
export const make = (sql: SqlClient) => {
  let trouble: { readonly reason: string; readonly since: number } | undefined

  const noteTrouble = (error: SqlError) =>
    Effect.map(Clock.currentTimeMillis, (since) => {
      trouble = { reason: reasonOf(error), since: trouble?.since ?? since }
    })

  const failed = (error: SqlError, isDoubtful: boolean): Effect.Effect<never, Failed> =>
    Effect.andThen(isTrouble(error) ? noteTrouble(error) : Effect.void, Effect.fail(failure(error, isDoubtful)))

  const answered = Effect.sync(() => {
    trouble = undefined
  })

  const query = <A extends object = Row>(
    text: string,
    params: ReadonlyArray<unknown> = [],
    within: Duration.Input = longest
  ) =>
    inTime(sql.unsafe<A>(text, params), within).pipe(
      Effect.tap(answered),
      Effect.catchTag("SqlError", (error) => failed(error, !isRefusal(error)))
    )

  return {
    query,
    /** All of it or nothing. */
    transaction: <A, E>(work: Effect.Effect<A, E>, within: Duration.Input = longest): Effect.Effect<A, E | Failed> => {
      let isDone = false
      const done = Effect.sync(() => {
        isDone = true
      })
      return inTime(sql.withTransaction(Effect.tap(work, done)), within).pipe(
        // what could not be taken back has been lost with its connection; what went wrong before is a defect then too
        Effect.catchCause((cause): Effect.Effect<never, E | SqlError> => {
          const lost = cause.reasons
            .filter(Cause.isDieReason)
            .map(({ defect }) => defect)
            .find(isSqlError)
          return lost === undefined ? Effect.failCause(cause) : Effect.fail(lost)
        }),
        Effect.catchIf(isSqlError, (error) => failed(error, isDone && !isRefusal(error)))
      )
    },
    health: Effect.sync((): StorageHealth =>
      trouble === undefined ? { _tag: "Writable" } : { _tag: "NotWritable", ...trouble }
    )
  }
}

export type Database = ReturnType<typeof make>

/** Again while other statements stand in its way. */
export const uncrossed = <A, E, R>(work: Effect.Effect<A, E | Failed, R>): Effect.Effect<A, E | Failed, R> =>
  Effect.retry(work, { while: (error) => error instanceof Failed && error.isCrossed, times: 20 })

/** The pause before the database is asked again what has become of something. */
const pause = "100 millis"

/**
 * Where the answer is lost it is looked what has happened, and it is done again if it has not, until that is known: the
 * first time may still be under way, and what is done again waits for that.
 */
export const certain = <A, E>(
  work: Effect.Effect<A, E | Failed>,
  whatHappened: Effect.Effect<Option.Option<A>, Failed>
): Effect.Effect<A, E | Failed> => {
  const findOut: Effect.Effect<Option.Option<A>> = Effect.andThen(
    Effect.interruptible(Effect.sleep(pause)),
    Effect.catch(whatHappened, () => findOut)
  )
  const again: Effect.Effect<A, E | Failed> = Effect.flatMap(
    findOut,
    Option.match({ onNone: () => Effect.catch(uncrossed(work), refused), onSome: (found) => Effect.succeed(found) })
  )
  /** What refuses it may be what it has done itself before. */
  const refused = (error: E | Failed): Effect.Effect<A, E | Failed> =>
    error instanceof Failed && (error.isDoubtful || error.isAway)
      ? again
      : Effect.flatMap(
          findOut,
          Option.match({ onNone: () => Effect.fail(error), onSome: (found) => Effect.succeed(found) })
        )
  return Effect.catchIf(uncrossed(work), isDoubtful, () => again)
}

const isDoubtful = (error: unknown): error is Failed => error instanceof Failed && error.isDoubtful
