import { Clock, Context, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import type { QueueFull, StorageError, StorageFull } from "../ports/StorageError.ts"
import type { ServiceDraining } from "../engine/Draining.ts"
import { wholePathOf } from "./Mounted.ts"

type Refusal = StorageError | QueueFull | StorageFull | ServiceDraining

/** Which request a line is about. */
interface Request {
  readonly method: string
  readonly url: string
  readonly source: object
}

/** A request that takes so long until its answer begins gets a line in the log; probes never do. */
export const isSlow = (millis: number): boolean => millis > 1000

/** A service that refuses everything, or is slow, should not fill its log as well. */
const lineEvery = 1000

/** What the server tells its operator: a line for a bug, for what it refuses, for what was slow. No line for the rest. */
export class ServiceLog extends Context.Service<
  ServiceLog,
  {
    /** Logs the cause under an id, which is returned. */
    readonly bug: (request: Request, cause: unknown) => Effect.Effect<string>
    /** At most one line a second for each kind, which says how many were left out. */
    readonly refused: (request: Request, reason: Refusal) => Effect.Effect<void>
    /** At most one line a second, likewise. */
    readonly slow: (request: Request, millis: number) => Effect.Effect<void>
  }
>()("venom/server/ServiceLog") {
  static readonly layer = Layer.effect(
    ServiceLog,
    Effect.gen(function* () {
      const random = yield* SecureRandom.SecureRandom
      const told = new Map<Refusal["_tag"] | "slow", { readonly at: number; leftOut: number }>()

      const seldom = Effect.fnUntraced(function* (
        kind: Refusal["_tag"] | "slow",
        request: Request,
        ...message: ReadonlyArray<unknown>
      ) {
        const now = yield* Clock.currentTimeMillis
        const last = told.get(kind)
        if (last !== undefined && Math.abs(now - last.at) < lineEvery) {
          last.leftOut++
          return
        }
        told.set(kind, { at: now, leftOut: 0 })
        const leftOut = last === undefined || last.leftOut === 0 ? {} : { left_out: last.leftOut }
        yield* Effect.logWarning(...message).pipe(Effect.annotateLogs({ ...about(request), ...leftOut }))
      })

      return ServiceLog.of({
        bug: Effect.fnUntraced(function* (request, cause) {
          const id = yield* random.uuidV7()
          yield* Effect.logError("A request met a bug", cause).pipe(
            Effect.annotateLogs({ error_id: id, ...about(request) })
          )
          return id
        }),
        refused: (request, reason) => {
          const cause = reason._tag === "StorageError" && reason.cause !== undefined ? [reason.cause] : []
          return seldom(reason._tag, request, `Refused a request: ${reason.message}`, ...cause)
        },
        slow: (request, millis) => seldom("slow", request, `A request took ${millis} ms`)
      })
    })
  )
}

const about = (request: Request) => ({ method: request.method, path: wholePathOf(request) })
