import { Effect, type FileSystem } from "effect"
import type { PlatformError } from "effect/PlatformError"
import * as Disk from "./Disk.ts"
import * as Dump from "./Dump.ts"
import type { Damage, Found } from "./Recovery.ts"

/**
 * Keeps what could not be read, under another name, and says what and how much. Where the disk does not
 * let it nothing is cut off, renamed or lost, and it may be run again: what is done is not done twice.
 */
export const damaged = (
  fs: FileSystem.FileSystem,
  directory: string,
  found: Pick<Found, "damage">
): Effect.Effect<void, PlatformError> => {
  const files = Map.groupBy(found.damage, ({ file }) => file)
  let isSynced = files.size === 0
  return Effect.gen(function* () {
    for (const [file, damage] of files) {
      // somebody has removed it
      if (!(yield* fs.exists(file))) {
        files.delete(file)
        continue
      }
      const torn = damage.every(({ torn }) => torn)
      const kept = yield* freeName(fs, `${file}.bad`)
      if (file.endsWith(Dump.fileName) || file.endsWith(Dump.previousFileName)) yield* fs.rename(file, kept)
      else if (torn) yield* cutTail(fs, file, kept, damage)
      else yield* fs.link(file, kept)
      files.delete(file)
      for (const { bytes, position, what } of damage) {
        const message = `${file}, byte ${position}: ${what} (${bytes} bytes)`
        yield* torn
          ? Effect.logInfo(`A torn end was cut off: ${message}; the bytes are in ${kept}`)
          : Effect.logError(
              `Damage was found, and all that can be read is kept: ${message}; the file is kept as ${kept}`
            )
      }
    }
    if (!isSynced) yield* Disk.syncDirectory(fs, directory)
    isSynced = true
  })
}

/** The bytes are on disk under their new name before they are cut off. */
const cutTail = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  file: string,
  kept: string,
  damage: ReadonlyArray<Damage>
): Effect.fn.Return<void, PlatformError> {
  const position = Math.min(...damage.map(({ position }) => position))
  const bytes = yield* fs.readFile(file)
  yield* Disk.withFile(fs, kept, { flag: "wx", mode: Disk.privateFile }, (copy) =>
    Effect.andThen(copy.writeAll(bytes.subarray(position)), copy.sync)
  ).pipe(
    Effect.andThen(fs.truncate(file, position)),
    Effect.tapError(() => Effect.ignore(fs.remove(kept, { force: true })))
  )
})

const freeName = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  wanted: string
): Effect.fn.Return<string, PlatformError> {
  for (let n = 1; ; n++) {
    const name = n === 1 ? wanted : `${wanted}.${n}`
    if (!(yield* fs.exists(name))) return name
  }
})
