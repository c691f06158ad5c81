import { Context, Duration, Effect, Layer, type Option } from "effect"
import type { Instant } from "../domain/Task.ts"
import { StateRepository } from "../ports/StateRepository.ts"
import type { Storage, StorageHealth } from "../ports/Storage.ts"
import type { StorageError } from "../ports/StorageError.ts"
import { EngineSettings } from "./EngineSettings.ts"
import { Pruner } from "./Pruner.ts"
import { Statistics } from "./Statistics.ts"

export interface Report extends Storage {
  readonly health: StorageHealth
  readonly savedAt: Instant | undefined
  /** Finished tasks are kept so long, in milliseconds, and so many of them; may be infinite. */
  readonly retention: { readonly completed: number; readonly failed: number; readonly count: number }
  readonly nextPrune: Option.Option<Instant>
}

/** Where the state is, how it fares there, and how long it stays. */
export class StorageReport extends Context.Service<
  StorageReport,
  { readonly report: Effect.Effect<Report, StorageError> }
>()("venom/engine/StorageReport") {
  static readonly layer = Layer.effect(
    StorageReport,
    Effect.gen(function* () {
      const repository = yield* StateRepository
      const { next } = yield* Pruner
      const { savedAt } = yield* Statistics
      const { retention, retentionCount, retentionFailed = retention } = yield* EngineSettings
      const kept = {
        completed: Duration.toMillis(retention),
        failed: Duration.toMillis(retentionFailed),
        count: retentionCount
      }
      return StorageReport.of({
        report: Effect.map(
          Effect.all([repository.storage, repository.health, savedAt, next]),
          ([storage, health, savedAt, nextPrune]) => ({ ...storage, health, savedAt, retention: kept, nextPrune })
        )
      })
    })
  )
}
