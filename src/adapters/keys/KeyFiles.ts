import { createHash, randomBytes, randomInt } from "node:crypto"
import { Clock, Effect, FileSystem, Option, Schema } from "effect"
import type { PlatformError } from "effect/PlatformError"
import { ApiKey, text } from "../../domain/ApiKey.ts"

/** A file among the keys that is none, or cannot be read. */
export class InvalidKeyFile extends Schema.TaggedError<InvalidKeyFile>()("InvalidKeyFile", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `${this.path} is no API key: ${this.reason}. Mend or delete it`
  }
}

const suffix = ".json"
const fileOf = (directory: string, id: string) => `${directory}/${id}${suffix}`

const KeyFile = Schema.fromJsonString(ApiKey)
const decode = Schema.decodeEffect(KeyFile)
const encode = Schema.encodeSync(KeyFile)

const letters = "0123456789abcdefghijklmnopqrstuvwxyz"
const newId = () => Array.from({ length: 12 }, () => letters[randomInt(letters.length)]).join("")

export const sha256 = (key: string): string => createHash("sha256").update(key).digest("hex")

/**
 * One file for each key, named after its id: creating is one new file and revoking one less, so that two who do it at
 * once never undo each other.
 */
const read = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, directory: string, name: string) {
  const path = `${directory}/${name}`
  const content = yield* Effect.catchReason(
    Effect.asSome(fs.readFileString(path)),
    "PlatformError",
    "NotFound",
    // revoked meanwhile
    () => Effect.succeedNone
  )
  if (Option.isNone(content)) return []
  const key = yield* Effect.mapError(
    decode(content.value),
    ({ message }) => new InvalidKeyFile({ path, reason: message })
  )
  if (name !== `${key.id}${suffix}`) return yield* new InvalidKeyFile({ path, reason: `its id is ${key.id}` })
  return [key]
})

/** All keys, or none where nobody has ever made one: the directory is missing. Fails where one cannot be read. */
export const list = (
  directory: string
): Effect.Effect<Option.Option<ReadonlyArray<ApiKey>>, PlatformError | InvalidKeyFile, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const names = yield* fs.readDirectory(directory)
    const found = yield* Effect.forEach(
      names.filter((name) => name.endsWith(suffix)),
      (name) => read(fs, directory, name)
    )
    return Option.some(found.flat())
  }).pipe(Effect.catchReason("PlatformError", "NotFound", () => Effect.succeedNone))

export interface Wish {
  readonly name: string
  readonly scope: ApiKey["scope"]
  readonly expiresAt: ApiKey["expiresAt"]
}

const syncDirectory = (fs: FileSystem.FileSystem, directory: string) =>
  Effect.scoped(Effect.flatMap(fs.open(directory, { flag: "r" }), ({ sync }) => sync))

/** Makes a key and returns it whole: this once, what is kept is its hash. It is on disk when this returns. */
export const create = (
  directory: string,
  wish: Wish
): Effect.Effect<{ readonly key: string; readonly kept: ApiKey }, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const id = newId()
    const key = text(id, randomBytes(32).toString("base64url"))
    const kept: ApiKey = { ...wish, id, sha256: sha256(key), createdAt: yield* Clock.currentTimeMillis }
    yield* fs.makeDirectory(directory, { recursive: true, mode: 0o700 })
    const path = fileOf(directory, id)
    const temporary = `${path}.tmp`
    yield* Effect.scoped(
      Effect.flatMap(fs.open(temporary, { flag: "wx", mode: 0o600 }), (file) =>
        Effect.andThen(file.writeAll(new TextEncoder().encode(`${encode(kept)}\n`)), file.sync)
      )
    ).pipe(
      Effect.andThen(fs.rename(temporary, path)),
      Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true })))
    )
    yield* syncDirectory(fs, directory)
    return { key, kept }
  })

/** Whether there was such a key. From the next look of the service on it opens nothing; it is durable when this returns. */
export const revoke = (directory: string, id: string): Effect.Effect<boolean, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = fileOf(directory, id)
    if (!(yield* fs.exists(path))) return false
    yield* fs.remove(path)
    yield* syncDirectory(fs, directory)
    return true
  })
