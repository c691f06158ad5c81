import { execFile } from "node:child_process"
import { cp, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { Effect, type Scope } from "effect"
import { directory } from "./Service.ts"

const run = promisify(execFile)

/** A command of the system; whether it went well. */
export const command = (program: string, ...args: ReadonlyArray<string>): Effect.Effect<boolean> =>
  Effect.promise(() =>
    run(program, args).then(
      () => true,
      () => false
    )
  )

/** Whether a process is running; one that only waits to be buried is not. */
export const isRunning = (pid: number): Effect.Effect<boolean> =>
  Effect.promise(() =>
    run("ps", ["-o", "stat=", "-p", `${pid}`]).then(
      ({ stdout }) => !/^\s*(Z|$)/.test(stdout),
      () => false
    )
  )

export const read = (path: string): Effect.Effect<Buffer> => Effect.promise(() => readFile(path))

export const write = (path: string, content: string | Uint8Array): Effect.Effect<void> =>
  Effect.promise(() => writeFile(path, content))

export const change = (path: string, by: (bytes: Buffer) => string | Uint8Array): Effect.Effect<void> =>
  Effect.flatMap(read(path), (bytes) => write(path, by(bytes)))

export const modeOf = (path: string): Effect.Effect<number> =>
  Effect.map(
    Effect.promise(() => stat(path)),
    ({ mode }) => mode & 0o7777
  )

export const modifiedAt = (path: string): Effect.Effect<number> =>
  Effect.map(
    Effect.promise(() => stat(path)),
    ({ mtimeMs }) => mtimeMs
  )

/** Names in a directory, in order. */
export const namesIn = (path: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(
    Effect.promise(() => readdir(path)),
    (names) => names.toSorted()
  )

/** Paths of the journal's files, the oldest first. */
export const journalsIn = (path: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(namesIn(path), (names) =>
    names.filter((name) => /^journal.*\.jsonl$/.test(name)).map((name) => join(path, name))
  )

/** All files of a directory with their bytes. */
export const contentsOf = Effect.fnUntraced(function* (path: string) {
  const contents = new Map<string, string>()
  for (const name of yield* namesIn(path)) contents.set(name, (yield* read(join(path, name))).toString("latin1"))
  return contents
})

export const makeDirectory = (path: string): Effect.Effect<void> =>
  Effect.asVoid(Effect.promise(() => mkdir(path, { recursive: true })))

/** A copy of a directory that a test may damage. */
export const copyOf = Effect.fnUntraced(function* (path: string): Effect.fn.Return<string, never, Scope.Scope> {
  const copy = join(yield* directory, "data")
  yield* Effect.promise(() => cp(path, copy, { recursive: true }))
  return copy
})

/** The bytes with one bit of them turned over. */
export const flipped = (bytes: Buffer, at: number, bit = 0): Buffer => {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ (1 << bit)
  return copy
}

/** For a shell: waits for a file, and no longer than there is a place for it. A kill -9 of the service leaves it behind. */
export const untilThere = (path: string): string =>
  `until [ -e ${path} ] || [ ! -d ${dirname(path)} ]; do sleep 0.02; done`
