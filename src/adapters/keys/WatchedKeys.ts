import { Clock, Effect, Equal, type FileSystem, Option, Redacted, type Scope } from "effect"
import type { PlatformError } from "effect/PlatformError"
import type { ApiKey } from "../../domain/ApiKey.ts"
import type { KnownKeys } from "../../ports/ApiKeys.ts"
import * as KeyFiles from "./KeyFiles.ts"

/** How soon a new key opens, and a revoked one opens nothing. */
const lookEvery = "1 second"

export interface Options {
  /** Where `venom keys` puts them. */
  readonly directory: string
  /** One more, of the settings; it may do everything. */
  readonly apiKey?: Redacted.Redacted
}

/** The key of the settings, as if it were kept: it has an id that no other can have. */
const ofSettings = (key: Redacted.Redacted, now: number): ApiKey => ({
  id: "",
  name: "VENOM_API_KEY",
  scope: "admin",
  sha256: KeyFiles.sha256(Redacted.value(key)),
  createdAt: now,
  expiresAt: null
})

/**
 * The keys of a directory, read anew each second: they come and go without a restart. Where the directory is, even
 * empty, a key is needed; where it vanishes, or a file in it cannot be read, those stay in force that were known last.
 */
export const make = Effect.fnUntraced(function* ({
  apiKey,
  directory
}: Options): Effect.fn.Return<KnownKeys, PlatformError | KeyFiles.InvalidKeyFile, FileSystem.FileSystem | Scope.Scope> {
  const own = apiKey === undefined ? undefined : ofSettings(apiKey, yield* Clock.currentTimeMillis)
  const begun = yield* KeyFiles.list(directory)
  let byId = index(Option.getOrElse(begun, () => []))
  // with none at the start it is open: it would be odd to be locked by what is made later, and worse not to be
  let isLocked = own !== undefined || Option.isSome(begun)
  let trouble: string | undefined

  const look = Effect.matchEffect(KeyFiles.list(directory), {
    onSuccess: (found) => {
      trouble = undefined
      if (Option.isNone(found)) return Effect.void
      isLocked = true
      const next = index(found.value)
      if (Equal.equals(next, byId)) return Effect.void
      const gone = [...byId.values()].filter(({ id }) => !next.has(id))
      const come = [...next.values()].filter(({ id }) => !byId.has(id))
      byId = next
      return Effect.logInfo("API keys have changed").pipe(
        Effect.annotateLogs({ come: come.map(({ id }) => id), gone: gone.map(({ id }) => id) })
      )
    },
    onFailure: ({ message }) => {
      if (message === trouble) return Effect.void
      trouble = message
      return Effect.logError(`API keys cannot be read, those stay in force that were: ${message}`)
    }
  })
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(lookEvery), look)))

  return { find: (id) => byId.get(id ?? "") ?? own, isLocked: () => isLocked }
})

const index = (keys: ReadonlyArray<ApiKey>): ReadonlyMap<string, ApiKey> => new Map(keys.map((key) => [key.id, key]))
