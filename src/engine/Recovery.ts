import { Clock, Effect, Layer } from "effect"
import * as Lifecycle from "../domain/Lifecycle.ts"
import { StateRepository } from "../ports/StateRepository.ts"
import { EngineSettings } from "./EngineSettings.ts"

/** At start: what a dead process has left PROCESSING runs again, or is FAILED, as the setting says. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const repository = yield* StateRepository
    const settings = yield* EngineSettings
    const now = yield* Clock.currentTimeMillis
    const rescued = yield* repository.rescue(
      settings.onRestart === "resume"
        ? Lifecycle.rescue(settings.crashLimit, now)
        : Lifecycle.fail("crashed", "the process died during this attempt", now)
    )
    yield* Effect.forEach(
      rescued,
      (task) =>
        Effect.logWarning(
          task.status === "PENDING"
            ? "Rescued: its attempt ended with the process, it runs again"
            : `Failed as crashed: ${task.failure?.message ?? ""}`
        ).pipe(Effect.annotateLogs({ task_id: task.id, attempt: task.attempt })),
      { discard: true }
    )
  })
)
