import { Context } from "effect"
import type { ApiKey } from "../domain/ApiKey.ts"

/** The keys that open the service, as they are at this moment. */
export interface KnownKeys {
  /** Whether a key is needed at all. */
  readonly isLocked: () => boolean
  /** What a key may be that has this id in it, or none. */
  readonly find: (id: string | undefined) => ApiKey | undefined
}

/** Where none are provided, the service is open to all who reach it. */
export const ApiKeys: Context.Reference<KnownKeys> = Context.Reference<KnownKeys>("venom/ports/ApiKeys", {
  defaultValue: () => ({ isLocked: () => false, find: () => undefined })
})
