import { Effect, type FileSystem, Predicate, Schema } from "effect"
import type { PlatformError } from "effect/PlatformError"

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

/** For the operator, in a few words. */
export const describe = (error: PlatformError): string => {
  const code = errorCode(error)
  const { reason } = error
  const what = "syscall" in reason && reason.syscall !== undefined ? reason.syscall : reason.method
  return `${what} failed${code === undefined ? `: ${error.message}` : ` with ${code}`}`
}

/** Makes the names in a directory durable: created, renamed and removed files are found after a crash. */
export const syncDirectory = (fs: FileSystem.FileSystem, directory: string): Effect.Effect<void, PlatformError> =>
  Effect.scoped(Effect.flatMap(fs.open(directory, { flag: "r" }), (handle) => handle.sync))
