import { Clock, Context, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import type { HttpServerRequest } from "effect/http"
import type { QueueFull, StorageError, StorageFull } from "../ports/StateRepository.ts"
import type { ServiceDraining } from "../engine/Draining.ts"
import { pathOf } from "./JsonResponse.ts"

type Refusal = StorageError | QueueFull | StorageFull | ServiceDraining
type Request = HttpServerRequest.HttpServerRequest

/** A service that refuses everything should not fill its log as well. */
const refusalLineEvery = 1000

/** What the server tells its operator: a line for a bug, for what it refuses, for what was slow. No line for the rest. */
export class ServiceLog extends Context.Service<
  ServiceLog,
  {
    /** Logs the cause under an id, which is returned. */
    readonly bug: (request: Request, cause: unknown) => Effect.Effect<string>
    /** At most one line a second for each kind, which says how many were left out. */
    readonly refused: (request: Request, reason: Refusal) => Effect.Effect<void>
    readonly slow: (request: Request, millis: number) => Effect.Effect<void>
  }
>()("venom/server/ServiceLog") {
  static readonly layer = Layer.effect(
    ServiceLog,
    Effect.gen(function* () {
      const random = yield* SecureRandom.SecureRandom
      const told = new Map<Refusal["_tag"], { readonly at: number; leftOut: number }>()

      return ServiceLog.of({
        bug: Effect.fnUntraced(function* (request, cause) {
          const id = yield* random.uuidV7()
          yield* Effect.logError("A request met a bug", cause).pipe(
            Effect.annotateLogs({ error_id: id, ...about(request) })
          )
          return id
        }),
        refused: Effect.fnUntraced(function* (request, reason) {
          const now = yield* Clock.currentTimeMillis
          const last = told.get(reason._tag)
          if (last !== undefined && Math.abs(now - last.at) < refusalLineEvery) {
            last.leftOut++
            return
          }
          told.set(reason._tag, { at: now, leftOut: 0 })
          const leftOut = last === undefined || last.leftOut === 0 ? {} : { left_out: last.leftOut }
          const cause = reason._tag === "StorageError" && reason.cause !== undefined ? [reason.cause] : []
          yield* Effect.logWarning(`Refused a request: ${reason.message}`, ...cause).pipe(
            Effect.annotateLogs({ ...about(request), ...leftOut })
          )
        }),
        slow: (request, millis) =>
          Effect.logWarning(`A request took ${millis} ms`).pipe(Effect.annotateLogs(about(request)))
      })
    })
  )
}

const about = (request: Request) => ({ method: request.method, path: pathOf(request.url) })
