import { Effect, Exit, Result } from "effect"
import type { Transition } from "../../domain/Lifecycle.ts"
import * as Lifecycle from "../../domain/Lifecycle.ts"
import type { TaskId, VenomTask } from "../../domain/Task.ts"
import { type IllegalTransition, TaskNotFound } from "../../domain/TaskError.ts"
import { toJson } from "../../domain/TaskJson.ts"
import { QueueFull, StorageError } from "../../ports/StorageError.ts"
import * as Batches from "./Batches.ts"
import type { Database } from "./Database.ts"
import { numbers, texts, uuids } from "./Parameters.ts"
import type { Room } from "./Room.ts"
import * as Row from "./Row.ts"
import { change } from "./statements/change.ts"
import { get } from "./statements/get.ts"
import * as Told from "./Told.ts"

/** A change of a task, and a state that it may be in by now. */
export interface Asked {
  readonly id: TaskId
  readonly transition: Transition
  readonly known?: VenomTask
  /** It may reopen a finished task; no other may. */
  readonly reopens?: boolean
}

type Decision = Result.Result<VenomTask, TaskNotFound | IllegalTransition>

/** All that is asked of one task at once, in its order. */
interface Chain {
  readonly id: TaskId
  asked: Array<{ readonly transition: Transition; readonly place: number; readonly reopens: boolean }>
  /** A state it may be in; nothing is refused because of it. */
  known: VenomTask | undefined
  /** What it may have become, where the answer was lost. */
  doubt: Step | undefined
}

interface Step {
  readonly before: VenomTask
  readonly after: VenomTask
  readonly told: ReadonlyArray<string>
  readonly decisions: ReadonlyArray<Decision>
}

/** The pause before the database is asked again what has become of a change. */
const pause = "100 millis"

/** Changes written together. */
const most = 500

const chainsOf = (asked: ReadonlyArray<Asked>): ReadonlyArray<Chain> => {
  const chains = new Map<TaskId, Chain>()
  for (const [place, { id, known, reopens = false, transition }] of asked.entries()) {
    const one = { transition: reopens ? transition : Lifecycle.notReopening(transition), place, reopens }
    const chain = chains.get(id)
    if (chain === undefined) chains.set(id, { id, asked: [one], known, doubt: undefined })
    else chain.asked.push(one)
  }
  return Array.from(chains.values())
}

const decide = (before: VenomTask, { asked }: Chain): Step => {
  let after = before
  const told: Array<string> = []
  const decisions = asked.map(({ transition }): Decision => {
    const decision = transition(after)
    if (Result.isSuccess(decision)) {
      told.push(Told.write(after, decision.success))
      after = decision.success
    }
    return decision
  })
  return { before, after, told, decisions }
}

const isReopening = ({ after, before }: Step): boolean => Lifecycle.isReopened(before, after)

/**
 * Changes of tasks, decided by the domain on the state that a task is in and written if it still is; decided anew
 * otherwise. What is asked while others are written is written together.
 */
export const make = Effect.fnUntraced(function* (
  database: Database,
  room: Room,
  onChange: (before: VenomTask, after: VenomTask) => void
) {
  const read = (ids: ReadonlyArray<TaskId>) =>
    Effect.map(database.query<Row.Row>(get, [uuids(ids)]), (rows) => {
      const found = new Map<TaskId, VenomTask>()
      for (const row of rows) {
        const task = Row.read(row)
        found.set(task.id, task)
      }
      return found
    })

  const write = (steps: ReadonlyArray<Step>) =>
    Effect.map(
      database.query<{ readonly id: string }>(change, [
        uuids(steps.map(({ before }) => before.id)),
        ...Row.changingOf(steps.map(({ after }) => after)),
        numbers(steps.map(({ before }) => before.revision)),
        texts(steps.map(({ before }) => before.status)),
        texts(steps.map(({ told }) => told.join(",")))
      ]),
      (rows) => new Set(rows.map(({ id }) => id))
    )

  const answer = Effect.fnUntraced(function* (asked: ReadonlyArray<Asked>) {
    const decisions: Array<Decision | QueueFull | StorageError> = []
    const end = ({ asked }: Chain, step: Pick<Step, "decisions">) => {
      for (const [n, { place }] of asked.entries()) {
        const decision = step.decisions[n]
        if (decision !== undefined) decisions[place] = decision
      }
    }
    const fail = (chains: ReadonlyArray<Chain>, failure: StorageError) => {
      for (const { asked } of chains) for (const { place } of asked) decisions[place] = failure
    }
    const done = (chain: Chain, step: Step) => {
      end(chain, step)
      onChange(step.before, step.after)
    }

    /** Those that are left, each with the state it is now decided on. */
    const settleAll = Effect.fnUntraced(function* (chains: ReadonlyArray<Chain>) {
      const unknown = chains.filter(({ doubt, known }) => known === undefined || doubt !== undefined)
      const found = unknown.length === 0 ? new Map() : yield* read(unknown.map(({ id }) => id))
      const steps: Array<{ readonly chain: Chain; readonly step: Step }> = []
      const left: Array<Chain> = []
      for (const chain of chains) {
        const { doubt, id } = chain
        const isKnown = chain.known !== undefined && doubt === undefined
        const state: VenomTask | undefined = isKnown ? chain.known : found.get(id)
        if (state !== undefined && doubt !== undefined && toJson(state) === toJson(doubt.after)) {
          done(chain, doubt)
          continue
        }
        if (state === undefined) {
          end(chain, { decisions: chain.asked.map(() => Result.fail(new TaskNotFound({ taskId: id }))) })
          continue
        }
        const step = decide(state, chain)
        // what a state says that is only known from before is no ground to refuse
        if (isKnown && step.decisions.some(Result.isFailure)) {
          chain.known = undefined
          left.push(chain)
        } else if (step.told.length === 0) end(chain, step)
        else steps.push({ chain, step })
        chain.doubt = undefined
      }
      const writeAll = Effect.fnUntraced(function* (group: typeof steps) {
        if (group.length === 0) return
        const written = yield* Effect.result(write(group.map(({ step }) => step)))
        if (Result.isSuccess(written)) {
          for (const { chain, step } of group) {
            if (written.success.has(chain.id)) done(chain, step)
            else {
              chain.known = undefined
              left.push(chain)
            }
          }
          return
        }
        const { failure } = written
        if (failure.isTaken && group.length === 1) {
          for (const { chain, step } of group) {
            const refused = Result.fail(Lifecycle.uniqueKeyTaken(step.before))
            end(chain, { decisions: step.decisions.map((one) => (Result.isSuccess(one) ? refused : one)) })
          }
          return
        }
        if (!failure.isDoubtful && !failure.isCrossed) {
          return fail(
            group.map(({ chain }) => chain),
            failure
          )
        }
        for (const { chain, step } of group) {
          chain.known = undefined
          if (failure.isDoubtful) chain.doubt = step
          left.push(chain)
        }
      })
      const reopening: typeof steps = []
      for (const one of steps.filter(({ step }) => isReopening(step))) {
        const { chain } = one
        const fits = yield* Effect.result(room.take(1))
        if (Result.isSuccess(fits)) reopening.push(one)
        else if (fits.failure._tag !== "QueueFull") fail([chain], fits.failure)
        else {
          for (const { place, reopens } of chain.asked) if (reopens) decisions[place] = fits.failure
          chain.asked = chain.asked.filter(({ reopens }) => !reopens)
          if (chain.asked.length > 0) left.push(chain)
        }
      }
      const isAlone = ({ step }: (typeof steps)[number]) => step.after.uniqueKey !== undefined
      yield* writeAll(steps.filter(({ step }) => !isReopening(step)))
      yield* writeAll(reopening.filter((one) => !isAlone(one)))
      // whose unique key may be taken by now
      for (const one of reopening.filter(isAlone)) yield* writeAll([one])
      room.settled(reopening.length)
      return left
    })

    let left = chainsOf(asked)
    while (left.length > 0) {
      const waiting = left
      left = yield* Effect.catch(settleAll(waiting), (failure) => {
        const doubtful = waiting.filter(({ doubt }) => doubt !== undefined)
        fail(
          waiting.filter(({ doubt }) => doubt === undefined),
          failure
        )
        return Effect.as(doubtful.length === 0 ? Effect.void : Effect.interruptible(Effect.sleep(pause)), doubtful)
      })
    }
    return decisions
  })

  const decideAll = yield* Batches.make<ReadonlyArray<Asked>, ReadonlyArray<Decision | QueueFull>, StorageError>(
    { most, weight: (asked) => asked.length },
    (asks) =>
      Effect.map(answer(asks.flat()), (decisions) => {
        let from = 0
        return asks.map((asked) => {
          const own = decisions.slice(from, (from += asked.length))
          const failure = own.find((one) => one instanceof StorageError)
          return failure === undefined
            ? Exit.succeed(own.filter((one) => !(one instanceof StorageError)))
            : Exit.fail(failure)
        })
      })
  )

  // what reopens nothing needs no room
  const changeAll = (asked: ReadonlyArray<Omit<Asked, "reopens">>) =>
    Effect.map(decideAll(asked), (decisions) => decisions.filter((decision) => !(decision instanceof QueueFull)))

  return {
    changeAll,
    update: Effect.fnUntraced(function* (id: TaskId, transition: Transition) {
      const [decision] = yield* changeAll([{ id, transition }])
      return yield* decision === undefined ? undecided : Effect.fromResult(decision)
    }),
    reopen: Effect.fnUntraced(function* (id: TaskId, transition: Transition) {
      const [decision] = yield* decideAll([{ id, transition, reopens: true }])
      if (decision instanceof QueueFull) return yield* decision
      return yield* decision === undefined ? undecided : Effect.fromResult(decision)
    })
  }
})

const undecided = Effect.die("nothing was decided")
