import { Effect, type FileSystem, Option, Predicate, Schema } from "effect"
import { PlatformError } from "effect/PlatformError"
import { dirname } from "node:path"

/** The data directory cannot be used: in use by another process, unreadable or damaged beyond repair. */
export class DataDirectoryError extends Schema.TaggedError<DataDirectoryError>()("DataDirectoryError", {
  directory: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The data directory ${this.directory} cannot be used: ${this.reason}`
  }
}

export const privateFile = 0o600
export const privateDirectory = 0o700

/** The system's own name of what went wrong, such as ENOSPC, where it has one. */
export const errorCode = ({ reason }: PlatformError): string | undefined =>
  Predicate.hasProperty(reason.cause, "code") && Predicate.isString(reason.cause.code) ? reason.cause.code : undefined

export const isOutOfSpace = (error: PlatformError): boolean => {
  const code = errorCode(error)
  return code === "ENOSPC" || code === "EDQUOT"
}

const unwell = new Set(["ENOSPC", "EDQUOT", "EIO", "EROFS"])

/** Whether the disk takes no writes now and may again: full, failing, or read-only. */
export const isUnwell = (error: PlatformError): boolean => unwell.has(errorCode(error) ?? "")

/** For the operator, in a few words. */
export const describe = (error: PlatformError): string => {
  const code = errorCode(error)
  const { reason } = error
  const what = "syscall" in reason && reason.syscall !== undefined ? reason.syscall : reason.method
  return `${what} failed${code === undefined ? `: ${error.message}` : ` with ${code}`}`
}

/**
 * Opens a file for as long as `run` takes. Closing may fail too (with EIO, where a write is then lost): Effect's
 * file system dies of it, here it is an error like any other.
 */
export const withFile = <A>(
  fs: FileSystem.FileSystem,
  path: string,
  options: { readonly flag: FileSystem.OpenFlag; readonly mode?: number },
  run: (file: FileSystem.File) => Effect.Effect<A, PlatformError>
): Effect.Effect<A, PlatformError> =>
  Effect.catchDefect(Effect.scoped(Effect.flatMap(fs.open(path, options), run)), (defect) =>
    defect instanceof PlatformError ? Effect.fail(defect) : Effect.die(defect)
  )

/** A number is given again when its file is gone, but not with the same time. */
export type Identity = string

export const identityOf = ({ birthtime, dev, ino }: FileSystem.File.Info): Identity =>
  `${dev}-${Option.getOrElse(ino, () => 0n)} ${Option.match(birthtime, { onNone: () => 0, onSome: (time) => time.getTime() })}`

/** Makes the names in a directory durable: created, renamed and removed files are found after a crash. */
export const syncDirectory = (fs: FileSystem.FileSystem, directory: string): Effect.Effect<void, PlatformError> =>
  withFile(fs, directory, { flag: "r" }, (handle) => handle.sync)

const makeOne = (fs: FileSystem.FileSystem, directory: string): Effect.Effect<void, PlatformError> =>
  Effect.catchReason(
    fs.makeDirectory(directory, { mode: privateDirectory }),
    "PlatformError",
    "AlreadyExists",
    (_, error) =>
      Effect.flatMap(fs.stat(directory), ({ type }) => (type === "Directory" ? Effect.void : Effect.fail(error)))
  )

/** By hand: where nothing can be made (`/proc`, or below a working directory that is gone) Node's own way never returns. */
const makeAll = (fs: FileSystem.FileSystem, directory: string): Effect.Effect<void, PlatformError> =>
  Effect.catchReason(makeOne(fs, directory), "PlatformError", "NotFound", (_, error) =>
    dirname(directory) === directory
      ? Effect.fail(error)
      : Effect.andThen(makeAll(fs, dirname(directory)), makeOne(fs, directory))
  )

/**
 * Makes a directory, and its name durable, and the names of those above it: one may be new, or made by an
 * earlier process that did not live to sync it.
 */
export const makeDirectory = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  directory: string
): Effect.fn.Return<void, PlatformError> {
  yield* makeAll(fs, directory)
  let child = yield* fs.realPath(directory)
  const { dev } = yield* fs.stat(child)
  for (let above = dirname(child); above !== child; above = dirname(child)) {
    // what holds a mount point, or may not be read, was not made by us
    if ((yield* fs.stat(above)).dev !== dev) return
    yield* Effect.catchReason(syncDirectory(fs, above), "PlatformError", "PermissionDenied", () => Effect.void)
    child = above
  }
})

/** The files of a directory and their bytes; one that goes meanwhile is left out. */
export const sizes = (fs: FileSystem.FileSystem, directory: string) =>
  Effect.gen(function* () {
    const names = yield* fs.readDirectory(directory)
    const found = yield* Effect.forEach(names.sort(), (name) => Effect.option(fs.stat(`${directory}/${name}`)))
    return names.flatMap((name, n) =>
      Option.match(found[n] ?? Option.none(), {
        onNone: () => [],
        onSome: ({ size, type }) => (type === "File" ? [{ name, bytes: Number(size) }] : [])
      })
    )
  })
