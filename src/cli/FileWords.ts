import type { PlatformError } from "effect/PlatformError"

const ofCode: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or directory",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a directory, not a file",
  ENOTDIR: "it is a file, not a directory",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EMFILE: "too many files are open"
}

/** What is wrong with a file, in words. */
export const reasonOf = ({ message, reason }: PlatformError): string => {
  const { cause } = reason
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : ""
  return ofCode[code] ?? (cause instanceof Error ? cause.message : message)
}

/** The file that it is about, where the system says which. */
export const pathOf = ({ reason }: PlatformError): string | undefined =>
  "pathOrDescriptor" in reason && typeof reason.pathOrDescriptor === "string" ? reason.pathOrDescriptor : undefined

/** The file and what is wrong with it. */
export const of = (error: PlatformError, path: string | undefined = pathOf(error)): string =>
  path === undefined ? reasonOf(error) : `${path}: ${reasonOf(error)}`
