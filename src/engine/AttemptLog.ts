import { Clock, Effect, Fiber, type Scope } from "effect"
import * as Lifecycle from "../domain/Lifecycle.ts"
import { limits, type VenomTask } from "../domain/Task.ts"
import * as TaskLog from "../domain/TaskLog.ts"
import type { StateRepository } from "../ports/StateRepository.ts"
import type { AttemptHandle } from "../ports/TaskRunner.ts"

/** Lines of a talkative attempt reach the store together, at most this often. */
const flushEvery = "100 millis"

/** What was said and is not yet in the task: the newest lines, and how many more went before them. */
interface Unwritten {
  readonly lines: ReadonlyArray<string>
  readonly lost: number
}

export interface AttemptLog {
  readonly handle: AttemptHandle
  /** Stops writing and gives what is not yet written, for the verdict to carry. */
  readonly close: Effect.Effect<Unwritten>
}

/**
 * What an attempt says, on its way to the task's log: written soon after the first line and again
 * while more comes, the rest together with the verdict. The fiber that writes lives in `scope` and ends
 * with `close`.
 */
export const make = (
  repository: StateRepository["Service"],
  claimed: VenomTask,
  scope: Scope.Scope
): AttemptLog => {
  let lines: Array<string> = []
  let lost = 0
  let closed = false
  let writing = false
  let writer: Fiber.Fiber<void> | undefined = undefined

  const take = (): Unwritten => {
    const taken = { lines, lost }
    lines = []
    lost = 0
    return taken
  }

  const putBack = (taken: Unwritten): void => {
    const all = [...taken.lines, ...lines]
    lines = all.slice(-limits.logLines)
    lost += taken.lost + all.length - lines.length
  }

  const flush = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const taken = take()
    yield* repository.update(claimed.id, Lifecycle.heldBy(claimed, Lifecycle.log(taken.lines, now, taken.lost))).pipe(
      Effect.catchTags({
        // the claim is lost: nobody will read these lines
        IllegalTransition: () => Effect.void,
        TaskNotFound: () => Effect.void
      }),
      // tried again with the next lines, or with the verdict
      Effect.catchCause(() => Effect.sync(() => putBack(taken)))
    )
  }).pipe(Effect.uninterruptible)

  const flushWhileTalking = Effect.gen(function* () {
    while (lines.length > 0) {
      yield* flush
      yield* Effect.sleep(flushEvery)
    }
    writing = false
  })

  const log: AttemptHandle["log"] = Effect.fnUntraced(function* (text) {
    const now = yield* Clock.currentTimeMillis
    if (closed) return
    lines.push(TaskLog.line(now, text))
    if (lines.length > limits.logLines) {
      lines.shift()
      lost++
    }
    if (writing) return
    writing = true
    writer = yield* Effect.forkIn(flushWhileTalking, scope)
  })

  return {
    handle: { log },
    close: Effect.suspend(() => {
      closed = true
      return writer === undefined ? Effect.sync(take) : Effect.map(Fiber.interrupt(writer), take)
    })
  }
}
