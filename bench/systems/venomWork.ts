import { Effect, Layer } from "effect"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { TaskRunner } from "../../src/ports/TaskRunner.ts"
import type { WorkEvents } from "./System.ts"

/** Tells of verdicts when they are durable. */
export const telling = (on: WorkEvents | undefined) =>
  Layer.effect(
    StateRepository,
    Effect.map(StateRepository, (repository) =>
      StateRepository.of({
        ...repository,
        settle: (settlements) =>
          Effect.tap(repository.settle(settlements), () => Effect.sync(() => on?.completed(settlements.length)))
      })
    )
  )

export const noWork = (on: WorkEvents | undefined) =>
  Layer.succeed(
    TaskRunner,
    TaskRunner.of({
      run: () =>
        Effect.sync(() => {
          on?.started()
          return "done"
        })
    })
  )
