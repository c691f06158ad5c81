import { Effect, type FileSystem } from "effect"
import type { PlatformError } from "effect/PlatformError"
import * as Disk from "./Disk.ts"
import * as Dump from "./Dump.ts"
import type { Damage, Found } from "./Recovery.ts"

/** Keeps what could not be read, under another name, and says what and how much. */
export const damaged = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, directory: string, found: Found) {
  const files = Map.groupBy(found.damage, ({ file }) => file)
  for (const [file, damage] of files) {
    const torn = damage.every(({ torn }) => torn)
    const kept = yield* freeName(fs, `${file}.bad`)
    if (file.endsWith(Dump.fileName) || file.endsWith(Dump.previousFileName)) yield* fs.rename(file, kept)
    else if (torn) yield* cutTail(fs, file, kept, damage)
    else yield* fs.link(file, kept)
    for (const { bytes, position, what } of damage) {
      const message = `${file}, byte ${position}: ${what} (${bytes} bytes)`
      yield* torn
        ? Effect.logInfo(`A torn end was cut off: ${message}; the bytes are in ${kept}`)
        : Effect.logError(`Damage was found, and all that can be read is kept: ${message}; the file is kept as ${kept}`)
    }
  }
  if (files.size > 0) yield* Disk.syncDirectory(fs, directory)
})

const cutTail = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  file: string,
  kept: string,
  damage: ReadonlyArray<Damage>
): Effect.fn.Return<void, PlatformError> {
  const position = Math.min(...damage.map(({ position }) => position))
  const bytes = yield* fs.readFile(file)
  yield* fs.writeFile(kept, bytes.subarray(position), { mode: Disk.privateFile })
  yield* fs.truncate(file, position)
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
