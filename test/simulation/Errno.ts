import { PlatformError } from "effect"

const texts: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EDQUOT: "disk quota exceeded",
  EEXIST: "file already exists",
  EIO: "i/o error",
  EISDIR: "illegal operation on a directory",
  EMFILE: "too many open files",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  ENOTEMPTY: "directory not empty",
  EROFS: "read-only file system"
}

/** What a system call answers that fails. */
export class Errno extends Error {
  readonly code: string
  readonly syscall: string

  constructor(code: string, syscall: string, path: string | undefined) {
    super(`${code}: ${texts[code] ?? "unknown error"}, ${syscall}${path === undefined ? "" : ` '${path}'`}`)
    this.code = code
    this.syscall = syscall
  }
}

const tags: Readonly<Record<string, PlatformError.SystemErrorTag>> = {
  ENOENT: "NotFound",
  EACCES: "PermissionDenied",
  EPERM: "PermissionDenied",
  EEXIST: "AlreadyExists",
  EISDIR: "BadResource",
  ENOTDIR: "BadResource",
  EBUSY: "Busy"
}

/** The error that Effect's file system on Node would fail with. */
export const toPlatformError = (
  error: Errno,
  method: string,
  pathOrDescriptor: string | number
): PlatformError.PlatformError =>
  PlatformError.systemError({
    _tag: tags[error.code] ?? "Unknown",
    module: "FileSystem",
    method,
    pathOrDescriptor,
    syscall: error.syscall,
    cause: error
  })
