import { Effect, type FileSystem, Option } from "effect"
import type { PlatformError } from "effect/PlatformError"
import * as Disk from "./Disk.ts"

const chunkBytes = 1024 * 1024
const newline = 0x0a

export interface Line {
  /** Without its 0x0A. */
  readonly bytes: Uint8Array
  /** Where it begins in the file. */
  readonly offset: number
  /** Whether a 0x0A ends it; only the last line of a file may have none. */
  readonly ended: boolean
}

/**
 * Reads a file line by line. Lines end at the byte 0x0A alone: line readers for text also split at
 * U+2028 and U+2029, which JSON leaves as they are. The bytes are only good during the call.
 */
export const forEach = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  path: string,
  visit: (line: Line) => void
): Effect.fn.Return<void, PlatformError> {
  let rest: Uint8Array = new Uint8Array(0)
  let offset = 0
  yield* Disk.withFile(fs, path, { flag: "r" }, (file) =>
    Effect.gen(function* () {
      for (;;) {
        const chunk = yield* file.readAlloc(chunkBytes)
        if (Option.isNone(chunk)) break
        const bytes = rest.length === 0 ? chunk.value : Buffer.concat([rest, chunk.value])
        let start = 0
        for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
          visit({ bytes: bytes.subarray(start, end), offset: offset + start, ended: true })
          start = end + 1
        }
        offset += start
        rest = bytes.subarray(start)
      }
    })
  )
  if (rest.length > 0) visit({ bytes: rest, offset, ended: false })
})
