import type { Chance } from "./Chance.ts"

/** A system call about to be made. */
export interface Operation {
  /** Counted from 1 over the life of the disk. */
  readonly number: number
  /** The method of `FileSystem` that makes it. */
  readonly method: string
  readonly syscall: string
  readonly path: string
  /** Of a link or a rename: from, and to. */
  readonly names?: readonly [string, string]
  /** Whether it would change the disk, or make a change durable. */
  readonly mutates: boolean
}

/** Fails with `code`, or does only a `share` of what was asked, or takes `delay` milliseconds more. */
export type Fault = { readonly code: string } | { readonly share: number } | { readonly delay: number }

/** What may be wrong with a disk for a while. */
export type Trouble = (operation: Operation, chance: Chance) => Fault | undefined

const failing =
  (
    probability: number,
    codes: readonly [string, ...Array<string>],
    concerns: (operation: Operation) => boolean
  ): Trouble =>
  (operation, chance) =>
    concerns(operation) && chance.happens(probability) ? { code: chance.pick(...codes) } : undefined

const isFile = ({ path }: Operation) => /\.[a-z]+$/.test(path)
const isAny = (...syscalls: ReadonlyArray<string>) => {
  const wanted = new Set(syscalls)
  return ({ syscall }: Operation) => wanted.has(syscall)
}

export const failingWrites = (probability: number): Trouble => failing(probability, ["EIO"], isAny("write"))

/** The pages that could not be written are lost, though the next sync succeeds. */
export const failingSyncs = (probability: number): Trouble =>
  failing(probability, ["EIO", "ENOSPC", "EDQUOT"], (operation) => operation.syscall === "fsync" && isFile(operation))

export const failingNames = (probability: number): Trouble =>
  failing(
    probability,
    ["EIO", "ENOSPC", "EMFILE"],
    (operation) =>
      operation.mutates &&
      (isAny("open", "rename", "link", "rm")(operation) || (operation.syscall === "fsync" && !isFile(operation)))
  )

export const failingReads = (probability: number): Trouble =>
  failing(probability, ["EIO", "EMFILE"], ({ mutates, syscall }) => !mutates && syscall !== "close")

export const failingClose = (probability: number): Trouble => failing(probability, ["EIO"], isAny("close"))

export const anything = (probability: number): Trouble => failing(probability, ["EIO"], () => true)

export const shortWrites =
  (probability: number): Trouble =>
  (operation, chance) =>
    operation.syscall === "write" && chance.happens(probability) ? { share: chance.next() } : undefined

/** The longest that a call of a disk that hangs takes, in milliseconds. */
export const longestHang = 5000

export const hanging =
  (probability: number): Trouble =>
  (_, chance) =>
    chance.happens(probability) ? { delay: chance.scale(10, longestHang) } : undefined

export const readOnly: Trouble = ({ mutates, syscall }) =>
  !mutates ? undefined : { code: syscall === "fsync" ? "EIO" : "EROFS" }
