import { createHash, randomBytes, randomInt } from "node:crypto"
import { Clock, Effect, FileSystem, Option, Result, Schema } from "effect"
import type { PlatformError } from "effect/PlatformError"
import { ApiKey, text } from "../../domain/ApiKey.ts"
import * as Disk from "../file/Disk.ts"

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

/** What is in the directory. */
export interface Found {
  readonly keys: ReadonlyArray<ApiKey>
  /** Files that cannot be read, each with the id that its name has. */
  readonly broken: ReadonlyArray<{ readonly id: string; readonly error: InvalidKeyFile }>
}

/** The key in a file, or none where it was revoked meanwhile. */
const read = (fs: FileSystem.FileSystem, directory: string, id: string) =>
  Effect.gen(function* () {
    const path = fileOf(directory, id)
    const content = yield* fs.readFileString(path)
    const key = yield* Effect.mapError(decode(content), ({ message }) => new InvalidKeyFile({ path, reason: message }))
    if (id !== key.id) return yield* new InvalidKeyFile({ path, reason: `its id is ${key.id}` })
    return Option.some(key)
  }).pipe(Effect.catchReason("PlatformError", "NotFound", () => Effect.succeedNone))

/**
 * All keys, or nothing where nobody has ever made one: the directory is missing.
 *
 * One file for each key, named after its id: creating is one new file and revoking one less, so that two who do it at
 * once never undo each other.
 */
export const list = (directory: string): Effect.Effect<Option.Option<Found>, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const names = yield* fs.readDirectory(directory)
    const keys: Array<ApiKey> = []
    const broken: Array<Found["broken"][number]> = []
    for (const name of names.filter((name) => name.endsWith(suffix))) {
      const id = name.slice(0, -suffix.length)
      const key = yield* Effect.result(read(fs, directory, id))
      if (Result.isSuccess(key)) keys.push(...Option.toArray(key.success))
      else if (key.failure._tag === "InvalidKeyFile") broken.push({ id, error: key.failure })
      else broken.push({ id, error: new InvalidKeyFile({ path: fileOf(directory, id), reason: key.failure.message }) })
    }
    return Option.some({ keys, broken })
  }).pipe(Effect.catchReason("PlatformError", "NotFound", () => Effect.succeedNone))

export interface Wish {
  readonly name: string
  readonly scope: ApiKey["scope"]
  readonly expiresAt: ApiKey["expiresAt"]
}

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
    yield* Disk.makeDirectory(fs, directory)
    const path = fileOf(directory, id)
    const temporary = `${path}.tmp`
    const bytes = new TextEncoder().encode(`${encode(kept)}\n`)
    yield* Disk.withFile(fs, temporary, { flag: "wx", mode: Disk.privateFile }, (file) =>
      Effect.andThen(file.writeAll(bytes), file.sync)
    ).pipe(
      Effect.andThen(fs.rename(temporary, path)),
      Effect.tapError(() => Effect.ignore(fs.remove(temporary, { force: true })))
    )
    yield* Disk.syncDirectory(fs, directory)
    return { key, kept }
  })

/** Whether there was such a key. From the next look of the service on it opens nothing; it is durable when this returns. */
export const revoke = (directory: string, id: string): Effect.Effect<boolean, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = fileOf(directory, id)
    if (!(yield* fs.exists(path))) return false
    yield* fs.remove(path)
    yield* Disk.syncDirectory(fs, directory)
    return true
  })
