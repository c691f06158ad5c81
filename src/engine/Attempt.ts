import { Cause, Clock, Context, Duration, Effect, Exit, Fiber, Layer, Random, Result } from "effect"
import type * as Lifecycle from "../domain/Lifecycle.ts"
import * as Span from "../domain/Span.ts"
import type { Instant, VenomTask } from "../domain/Task.ts"
import { AttemptTimeout, type TaskFailure } from "../domain/TaskError.ts"
import * as Verdict from "../domain/Verdict.ts"
import { StateRepository } from "../ports/StateRepository.ts"
import { TaskRunner } from "../ports/TaskRunner.ts"
import * as AttemptMetrics from "./AttemptMetrics.ts"
import { AttemptReport } from "./AttemptReport.ts"
import { EngineSettings } from "./EngineSettings.ts"
import { Events } from "./Events.ts"
import * as TaskSpan from "./TaskSpan.ts"

/** Milliseconds until a verdict is offered again to a store that refused it: the first time, and at most. */
const firstPause = 50
const longestPause = 1000

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/**
 * One supervised run of a claimed task: run → verdict → settled. Never fails; interrupting it
 * interrupts the runner, and the verdict of that is still written.
 */
export class Attempt extends Context.Service<
  Attempt,
  {
    /** Begins when the attempt before has ended, where that may still run. */
    readonly run: (claimed: VenomTask, before?: Fiber.Fiber<void>) => Effect.Effect<void>
  }
>()("venom/engine/Attempt") {
  static readonly layer = Layer.effect(
    Attempt,
    Effect.gen(function* () {
      const repository = yield* StateRepository
      const events = yield* Events
      const runner = yield* TaskRunner
      const { backoff, taskTimeout, typeTimeouts } = yield* EngineSettings
      const scope = yield* Effect.scope
      const metrics = yield* AttemptMetrics.make
      const inSpan = yield* TaskSpan.make

      const inTime = (work: Effect.Effect<string, TaskFailure>, task: VenomTask, now: Instant) => {
        const after = timeOf(task, typeTimeouts?.get(task.type) ?? taskTimeout, now)
        return Effect.timeoutOrElse(work, {
          duration: after,
          orElse: () => Effect.fail(new AttemptTimeout({ after }))
        })
      }

      /** Offers the verdict until storage takes it. Only a stopping engine ends the waiting between two offers. */
      const settle = Effect.fnUntraced(function* (
        claimed: VenomTask,
        transition: Lifecycle.Transition,
        restore: Restore
      ) {
        for (let pause = firstPause; ; pause = Math.min(2 * pause, longestPause)) {
          const offered = yield* Effect.result(repository.settle([{ claimed, transition }]))
          if (Result.isSuccess(offered)) return offered.success[0]
          if (pause === firstPause) {
            yield* Effect.logWarning("The verdict waits for storage", offered.failure.message)
          }
          yield* restore(Effect.sleep(pause))
        }
      })

      const attempt = Effect.fnUntraced(function* (claimed: VenomTask, restore: Restore, end: TaskSpan.Tell) {
        metrics.began(claimed)
        const report = new AttemptReport({ repository, events }, claimed, scope)
        const work = Effect.suspend(() => runner.run(claimed, report.handle))
        const exit = yield* Effect.exit(restore(inTime(work, claimed, yield* Clock.currentTimeMillis)))
        const stopped = Exit.isFailure(yield* Effect.exit(restore(Effect.void)))
        const now = yield* Clock.currentTimeMillis
        const verdict = Verdict.of(exit, claimed, { backoff, chance: yield* Random.next, now, stopped })
        const earned = Verdict.transition(verdict, now)
        const said = yield* report.close(earned, now)
        const settled = yield* settle(claimed, said, restore)
        metrics.ended(claimed, verdict, settled !== undefined && Result.isSuccess(settled), now)
        yield* settled !== undefined && Result.isFailure(settled)
          ? Effect.logInfo("The verdict came too late and was dropped", settled.failure.message)
          : tell(verdict, exit)
        yield* end(endOf(verdict, settled !== undefined && Result.isSuccess(settled)))
      })

      return Attempt.of({
        run: (claimed, before) =>
          Effect.uninterruptibleMask((restore) =>
            inSpan(claimed, spanOf(claimed), (end) =>
              Effect.catchCause(inTurn(attempt(claimed, restore, end), before), (cause) =>
                Effect.logError("The attempt has no verdict; a restart rescues its task", cause)
              )
            )
          ).pipe(Effect.annotateLogs({ task_id: claimed.id, attempt: claimed.attempt }))
      })
    })
  )
}

const inTurn = (attempt: Effect.Effect<void>, before: Fiber.Fiber<void> | undefined) =>
  before === undefined ? attempt : Effect.andThen(Fiber.await(before), attempt)

/** How long an attempt may run: as long as its task says, and not beyond its deadline. */
const timeOf = ({ deadline, timeout }: VenomTask, usual: Duration.Duration, now: Instant): Duration.Duration => {
  const wished = timeout === undefined ? usual : Duration.millis(Span.millis(timeout))
  return deadline === undefined ? wished : Duration.min(wished, Duration.millis(Math.max(0, deadline - now)))
}

const spanOf = (task: VenomTask) => ({
  operation: "attempt",
  kind: "consumer" as const,
  attributes: {
    "messaging.operation.type": "process",
    "venom.attempt": task.attempt,
    "venom.max_attempts": task.maxAttempts,
    "venom.wait_ms": AttemptMetrics.waitMillis(task)
  }
})

const endOf = (verdict: Verdict.Verdict, settled: boolean): TaskSpan.End => {
  if (!settled) return { outcome: "dropped", isFailure: false }
  switch (verdict._tag) {
    case "Complete":
      return { outcome: "completed", isFailure: false }
    case "Release":
      return { outcome: "released", isFailure: false }
    case "Retry":
    case "Fail":
      return { outcome: verdict.reason, isFailure: true }
  }
}

const tell = (verdict: Verdict.Verdict, exit: Verdict.AttemptExit): Effect.Effect<void> => {
  switch (verdict._tag) {
    case "Complete":
      return Effect.logDebug("Attempt completed")
    case "Release":
      return Exit.isFailure(exit) && Cause.hasDies(exit.cause)
        ? Effect.logError("Attempt released; it died on its way out", exit.cause)
        : Effect.logInfo("Attempt released")
    case "Retry":
      return Effect.logInfo(`Attempt failed and will be retried: ${verdict.message}`)
    case "Fail":
      return verdict.reason === "defect" && Exit.isFailure(exit)
        ? Effect.logError("Attempt died of a defect", exit.cause)
        : Effect.logWarning(`Attempt failed for good: ${verdict.message}`)
  }
}
