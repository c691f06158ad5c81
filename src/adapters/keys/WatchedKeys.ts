import { Clock, Effect, type FileSystem, Option, Redacted, type Scope } from "effect"
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
 * empty, a key is needed. What cannot be read at the start is refused; later the key of such a file stays as it was
 * known, and all keys do where the directory vanishes.
 */
export const make = Effect.fnUntraced(function* ({
  apiKey,
  directory
}: Options): Effect.fn.Return<KnownKeys, PlatformError | KeyFiles.InvalidKeyFile, FileSystem.FileSystem | Scope.Scope> {
  const own = apiKey === undefined ? undefined : ofSettings(apiKey, yield* Clock.currentTimeMillis)
  const begun = Option.getOrUndefined(yield* KeyFiles.list(directory))
  const [broken] = begun?.broken ?? []
  if (broken !== undefined) return yield* broken.error
  let byId = index(begun?.keys ?? [])
  let isLocked = own !== undefined || begun !== undefined
  let told = ""

  /** Once, until it is something else. */
  const tellTrouble = (trouble: string) => {
    if (trouble === told) return Effect.void
    told = trouble
    return trouble === "" ? Effect.void : Effect.logError(`API keys cannot be read: ${trouble}`)
  }

  const take = ({ broken, keys }: KeyFiles.Found) =>
    Effect.suspend(() => {
      isLocked = true
      const kept = broken.flatMap(({ id }) => byId.get(id) ?? [])
      const next = index([...keys, ...kept])
      const gone = Array.from(byId.keys()).filter((id) => !next.has(id))
      const come = Array.from(next.keys()).filter((id) => !byId.has(id))
      byId = next
      const tell =
        gone.length + come.length === 0
          ? Effect.void
          : Effect.annotateLogs(Effect.logInfo("API keys have changed"), { come, gone })
      return Effect.andThen(tell, tellTrouble(broken.map(({ error }) => error.message).join("; ")))
    })

  const look = KeyFiles.list(directory).pipe(
    Effect.flatMap(Option.match({ onNone: () => Effect.void, onSome: take })),
    Effect.catch(({ message }) => tellTrouble(message)),
    // it may not end unseen: what is revoked would open for ever
    Effect.catchDefect((defect) => Effect.logError("Looking for API keys met a defect", defect))
  )
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(lookEvery), look)))

  return { find: (id) => byId.get(id ?? "") ?? own, isLocked: () => isLocked }
})

const index = (keys: ReadonlyArray<ApiKey>): ReadonlyMap<string, ApiKey> => new Map(keys.map((key) => [key.id, key]))
