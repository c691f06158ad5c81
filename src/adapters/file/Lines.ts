import { Effect, type FileSystem, Option } from "effect"
import type { PlatformError } from "effect/PlatformError"
import * as Disk from "./Disk.ts"

const chunkBytes = 256 * 1024
const newline = 0x0a

export interface Line {
  /** Without its 0x0A. */
  readonly bytes: Uint8Array
  /** Where it begins in the file. */
  readonly offset: number
  /** Whether a 0x0A ends it; only the last line of a file may have none. */
  readonly ended: boolean
}

/** Reads a file line by line, as `find` does, to its end. */
export const forEach = (
  fs: FileSystem.FileSystem,
  path: string,
  visit: (line: Line) => void
): Effect.Effect<void, PlatformError> =>
  find(fs, path, (line) => {
    visit(line)
    return false
  })

/**
 * Reads a file line by line up to the one that is looked for. Lines end at the byte 0x0A alone: line readers
 * for text also split at U+2028 and U+2029, which JSON leaves as they are. The bytes are only good during the
 * call.
 */
export const find = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  path: string,
  isIt: (line: Line) => boolean
): Effect.fn.Return<void, PlatformError> {
  /** The beginning of a line, in pieces. */
  let begun: Array<Uint8Array> = []
  let offset = 0
  let found = false
  yield* Disk.withFile(fs, path, { flag: "r" }, (file) =>
    Effect.gen(function* () {
      while (!found) {
        const chunk = yield* file.readAlloc(chunkBytes)
        if (Option.isNone(chunk)) break
        let start = 0
        for (let end = chunk.value.indexOf(newline); end >= 0 && !found; end = chunk.value.indexOf(newline, start)) {
          const tail = chunk.value.subarray(start, end)
          const bytes = begun.length === 0 ? tail : Buffer.concat([...begun, tail])
          found = isIt({ bytes, offset, ended: true })
          offset += bytes.length + 1
          start = end + 1
          begun = []
        }
        if (start < chunk.value.length) begun.push(chunk.value.subarray(start))
      }
    })
  )
  if (!found && begun.length > 0) isIt({ bytes: Buffer.concat(begun), offset, ended: false })
})
