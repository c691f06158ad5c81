import { Cause, Clock, Context, Effect, Exit, Layer, Random, Result, Schedule } from "effect"
import * as Lifecycle from "../domain/Lifecycle.ts"
import type { VenomTask } from "../domain/Task.ts"
import { AttemptTimeout } from "../domain/TaskError.ts"
import * as Verdict from "../domain/Verdict.ts"
import { StateRepository } from "../ports/StateRepository.ts"
import { TaskRunner } from "../ports/TaskRunner.ts"
import * as AttemptLog from "./AttemptLog.ts"
import { Draining } from "./Draining.ts"
import { EngineSettings } from "./EngineSettings.ts"

/** How often a verdict is offered to a store that refuses it. */
const settleAgain = Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("1 second")])

/**
 * One supervised run of a claimed task: run → verdict → settled. Never fails; interrupting it
 * interrupts the runner, and the verdict of that is still written.
 */
export class Attempt extends Context.Service<
  Attempt,
  { readonly run: (claimed: VenomTask) => Effect.Effect<void> }
>()("venom/engine/Attempt") {
  static readonly layer = Layer.effect(
    Attempt,
    Effect.gen(function* () {
      const repository = yield* StateRepository
      const runner = yield* TaskRunner
      const settings = yield* EngineSettings
      const draining = yield* Draining

      const settle = Effect.fnUntraced(function* (claimed: VenomTask, transition: Lifecycle.Transition) {
        const [settled] = yield* repository.settle([{ claimed, transition }]).pipe(
          Effect.tapError((error) => Effect.logWarning("The verdict waits for storage", error.message)),
          Effect.retry({ schedule: settleAgain, until: () => draining.hasBegun })
        )
        if (settled !== undefined && Result.isFailure(settled)) {
          yield* Effect.logInfo("The verdict came too late and was dropped", settled.failure.message)
        }
      })

      const tell = (verdict: Verdict.Verdict, exit: Verdict.AttemptExit) => {
        switch (verdict._tag) {
          case "Complete":
            return Effect.logDebug("Attempt completed")
          case "Release":
            return Effect.logInfo("Attempt interrupted")
          case "Retry":
            return Effect.logInfo(`Attempt failed and will be retried: ${verdict.message}`)
          case "Fail":
            return verdict.reason === "defect" && Exit.isFailure(exit)
              ? Effect.logError("Attempt died of a defect", Cause.pretty(exit.cause))
              : Effect.logWarning(`Attempt failed for good: ${verdict.message}`)
        }
      }

      const run = (claimed: VenomTask) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.gen(function* () {
            const log = yield* AttemptLog.make(repository, claimed)
            const exit = yield* restore(runner.run(claimed, log.handle)).pipe(
              Effect.timeoutOrElse({
                duration: settings.taskTimeout,
                orElse: () => Effect.fail(new AttemptTimeout({ after: settings.taskTimeout }))
              }),
              Effect.exit
            )
            const now = yield* Clock.currentTimeMillis
            const verdict = Verdict.of(exit, claimed, { backoff: settings.backoff, chance: yield* Random.next, now })
            yield* tell(verdict, exit)
            const lines = yield* log.close
            const earned = Verdict.transition(verdict, now)
            yield* settle(claimed, lines.length === 0 ? earned : Lifecycle.andThen(Lifecycle.log(lines, now), earned))
          })
        ).pipe(
          Effect.catchCause((cause) => Effect.logError("The verdict could not be written; a restart rescues the task", cause)),
          Effect.annotateLogs({ task_id: claimed.id, attempt: claimed.attempt })
        )

      return Attempt.of({ run })
    })
  )
}
