import { Clock, Context, Effect, Layer } from "effect"
import type { Instant } from "../domain/Task.ts"
import { type Node, StateRepository } from "../ports/StateRepository.ts"
import type { StorageError } from "../ports/StorageError.ts"
import { Dispatcher } from "./Dispatcher.ts"
import { EngineSettings } from "./EngineSettings.ts"

/** A process that takes part; one that is alone expires never. */
type Participant = Omit<Node, "expiresAt"> & { readonly expiresAt: Instant | null }

/** The processes that share the queue. */
export class Nodes extends Context.Service<
  Nodes,
  {
    /** Those that are alive, and those that died a moment ago. */
    readonly list: Effect.Effect<ReadonlyArray<Participant>, StorageError>
  }
>()("venom/engine/Nodes") {
  static readonly layer = Layer.effect(
    Nodes,
    Effect.gen(function* () {
      const repository = yield* StateRepository
      const dispatcher = yield* Dispatcher
      const { concurrency, version = "" } = yield* EngineSettings
      const startedAt = yield* Clock.currentTimeMillis
      const alone = Effect.map(dispatcher.running, (running): Participant => ({
        id: "alone",
        name: "alone",
        version,
        startedAt,
        expiresAt: null,
        alive: true,
        leads: true,
        concurrency,
        running
      }))
      return Nodes.of({
        list: repository.isShared ? repository.nodes : Effect.map(alone, (node) => [node])
      })
    })
  )
}
