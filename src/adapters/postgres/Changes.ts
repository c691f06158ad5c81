import { Effect, Exit, Result } from "effect"
import type { Transition } from "../../domain/Lifecycle.ts"
import * as Lifecycle from "../../domain/Lifecycle.ts"
import { isFinished, type TaskId, type VenomTask } from "../../domain/Task.ts"
import { type IllegalTransition, TaskNotFound } from "../../domain/TaskError.ts"
import { toJson } from "../../domain/TaskJson.ts"
import type { StorageError } from "../../ports/StateRepository.ts"
import * as Batches from "./Batches.ts"
import { type Database, Failed } from "./Database.ts"
import { numbers, texts, uuids } from "./Parameters.ts"
import * as Row from "./Row.ts"
import { change } from "./statements/change.ts"
import { get } from "./statements/get.ts"
import * as Told from "./Told.ts"

/** A change of a task, and a state that it may be in by now. */
export interface Asked {
  readonly id: TaskId
  readonly transition: Transition
  readonly known?: VenomTask
}

type Decision = Result.Result<VenomTask, TaskNotFound | IllegalTransition>

/** All that is asked of one task at once, in its order. */
interface Chain {
  readonly id: TaskId
  readonly asked: Array<{ readonly transition: Transition; readonly place: number }>
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
  for (const [place, { id, known, transition }] of asked.entries()) {
    const chain = chains.get(id)
    if (chain === undefined) chains.set(id, { id, asked: [{ transition, place }], known, doubt: undefined })
    else chain.asked.push({ transition, place })
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

const isReturning = ({ after, before }: Step): boolean =>
  after.uniqueKey !== undefined && isFinished(before) && !isFinished(after)

/**
 * Changes of tasks, decided by the domain on the state that a task is in and written if it still is; decided anew
 * otherwise. What is asked while others are written is written together.
 */
export const make = Effect.fnUntraced(function* (
  database: Database,
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
    const decisions: Array<Decision | Failed> = []
    const end = ({ asked }: Chain, step: Pick<Step, "decisions">) => {
      for (const [n, { place }] of asked.entries()) {
        const decision = step.decisions[n]
        if (decision !== undefined) decisions[place] = decision
      }
    }
    const fail = (chains: ReadonlyArray<Chain>, failure: Failed) => {
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
      yield* writeAll(steps.filter(({ step }) => !isReturning(step)))
      // whose unique key may be taken by now
      for (const one of steps) if (isReturning(one.step)) yield* writeAll([one])
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

  return yield* Batches.make<ReadonlyArray<Asked>, ReadonlyArray<Decision>, StorageError>(
    { most, weight: (asked) => asked.length },
    (asks) =>
      Effect.map(answer(asks.flat()), (decisions) => {
        let from = 0
        return asks.map((asked) => {
          const own = decisions.slice(from, (from += asked.length))
          const failure = own.find((one) => one instanceof Failed)
          return failure === undefined
            ? Exit.succeed(own.filter((one) => !(one instanceof Failed)))
            : Exit.fail(failure)
        })
      })
  )
})
