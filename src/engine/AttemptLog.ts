import { Clock, Effect, Fiber, Option, Ref } from "effect"
import * as Lifecycle from "../domain/Lifecycle.ts"
import { limits, type VenomTask } from "../domain/Task.ts"
import * as TaskLog from "../domain/TaskLog.ts"
import type { StateRepository } from "../ports/StateRepository.ts"
import type { AttemptHandle } from "../ports/TaskRunner.ts"

/** Lines of a talkative attempt reach the store together, at most this often. */
const flushEvery = "100 millis"

/**
 * What an attempt says, on its way to the task's log: written soon after the first line and again
 * while more comes, the rest together with the verdict.
 */
export const make = Effect.fnUntraced(function* (repository: StateRepository["Service"], claimed: VenomTask) {
  const lines: Array<string> = []
  const flusher = yield* Ref.make(Option.none<Fiber.Fiber<void>>())

  const takeLines = Effect.sync(() => lines.splice(0))

  const flush = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const taken = yield* takeLines
    yield* repository.update(claimed.id, Lifecycle.heldBy(claimed, Lifecycle.log(taken, now))).pipe(
      Effect.catchTags({
        StorageError: () => Effect.sync(() => lines.unshift(...taken)),
        // the claim is lost: nobody will read these lines
        IllegalTransition: () => Effect.void,
        TaskNotFound: () => Effect.void
      })
    )
  }).pipe(Effect.uninterruptible)

  const flushWhileTalking = Effect.gen(function* () {
    while (lines.length > 0) {
      yield* flush
      yield* Effect.sleep(flushEvery)
    }
    yield* Ref.set(flusher, Option.none())
  })

  const log: AttemptHandle["log"] = Effect.fnUntraced(function* (text) {
    const now = yield* Clock.currentTimeMillis
    lines.push(TaskLog.line(now, text))
    if (lines.length > limits.logLines) lines.shift()
    if (Option.isNone(yield* Ref.get(flusher))) {
      yield* Ref.set(flusher, Option.some(yield* Effect.forkDetach(flushWhileTalking)))
    }
  })

  const close = Effect.gen(function* () {
    const running = yield* Ref.get(flusher)
    if (Option.isSome(running)) yield* Fiber.interrupt(running.value)
    return yield* takeLines
  })

  return {
    handle: { log } satisfies AttemptHandle,
    /** Stops writing and gives the lines not yet written, for the verdict to carry. */
    close
  }
})
