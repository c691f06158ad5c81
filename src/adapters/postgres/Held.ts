import { Effect, PubSub, Stream } from "effect"
import type { TaskId, VenomTask } from "../../domain/Task.ts"
import type { Told } from "../../ports/StateRepository.ts"

type Claim = Pick<VenomTask, "id" | "attempt" | "revision">

/** Ends that are on their way to be told, at most. */
const mostUntold = 100_000

const nameOf = ({ id, revision }: Pick<VenomTask, "id" | "revision">): string => `${id} ${revision}`

/** What this process has claimed and not ended. */
export const make = Effect.gen(function* () {
  const claims = new Map<TaskId, Claim>()
  const ended = new Set<string>()
  const lost = yield* PubSub.unbounded<Pick<VenomTask, "id" | "attempt">>()

  const lose = (claim: Claim): void => {
    claims.delete(claim.id)
    PubSub.publishUnsafe(lost, claim)
  }

  return {
    lost: Stream.fromPubSub(lost),
    has: ({ attempt, id }: Pick<VenomTask, "id" | "attempt">): boolean => claims.get(id)?.attempt === attempt,
    begin: (tasks: ReadonlyArray<Claim>): void => {
      for (const { attempt, id, revision } of tasks) claims.set(id, { id, attempt, revision })
    },
    /** It has been ended here. */
    end: (task: Claim): void => {
      claims.delete(task.id)
      if (ended.size > mostUntold) ended.clear()
      ended.add(nameOf(task))
    },
    /** Whether this is a change that was made here; to be asked once. */
    hasEnded: (told: Told): boolean => ended.delete(nameOf(told)),
    /** A task is told of: another one may have ended what is held here. */
    see: (told: Told): void => {
      const claim = claims.get(told.id)
      if (claim === undefined || told.revision <= claim.revision) return
      if (told.status !== "PROCESSING" || told.attempt !== claim.attempt) lose(claim)
    },
    all: (): ReadonlyArray<Claim> => Array.from(claims.values()),
    /** Of claims that were held, those that are nowhere any more. */
    loseUnless: (before: ReadonlyArray<Claim>, there: ReadonlyArray<Pick<VenomTask, "id" | "attempt">>): void => {
      const attempts = new Map(there.map(({ attempt, id }) => [id, attempt]))
      for (const claim of before) {
        if (claims.get(claim.id) === claim && attempts.get(claim.id) !== claim.attempt) lose(claim)
      }
    },
    loseAll: (): void => {
      for (const claim of Array.from(claims.values())) lose(claim)
    }
  }
})
