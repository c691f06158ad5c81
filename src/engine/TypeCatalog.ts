import { Clock, Context, Effect, Layer } from "effect"
import type { TaskStatus } from "../domain/Task.ts"
import { type RegisteredType, RegisteredTypes } from "../ports/RegisteredTypes.ts"
import { StateRepository } from "../ports/StateRepository.ts"
import type { StorageError } from "../ports/StorageError.ts"
import { TaskRunner } from "../ports/TaskRunner.ts"

/** Types whose tasks are counted; of more, those that had tasks first. */
const mostCounted = 1000

/** A type that this service knows or has work for. */
export interface KnownType {
  readonly name: string
  /** Where it is registered: what its content is. */
  readonly registered: RegisteredType | undefined
  /** Whether this service has work for its tasks; it holds them otherwise. */
  readonly isHandled: boolean
  /** None where there are too many types to count each. */
  readonly counts: Readonly<Record<TaskStatus, number>> | undefined
}

/** The use cases: what the outside may ask about the types of tasks. */
export class TypeCatalog extends Context.Service<
  TypeCatalog,
  {
    /** Those whose content is looked at, by name. */
    readonly registered: ReadonlyArray<RegisteredType>
    /** These, and those that there is work for, by name. */
    readonly list: Effect.Effect<ReadonlyArray<KnownType>, StorageError>
  }
>()("venom/engine/TypeCatalog") {
  static readonly layer = Layer.effect(
    TypeCatalog,
    Effect.gen(function* () {
      const repository = yield* StateRepository
      const { types: handled } = yield* TaskRunner
      const types = yield* RegisteredTypes
      const names = Array.from(new Set([...types.keys(), ...(handled ?? [])])).sort()

      return TypeCatalog.of({
        registered: names.flatMap((name) => types.get(name) ?? []),
        list: Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const counted = yield* repository.queueCounts({ now, types: mostCounted })
          const counts = new Map(counted.types.map(({ statuses, type }) => [type, statuses]))
          const others = counted.types.length < mostCounted ? none : undefined
          return names.map((name) => ({
            name,
            registered: types.get(name),
            isHandled: handled?.has(name) ?? true,
            counts: counts.get(name) ?? others
          }))
        })
      })
    })
  )
}

const none = { PENDING: 0, PROCESSING: 0, COMPLETED: 0, FAILED: 0 }
