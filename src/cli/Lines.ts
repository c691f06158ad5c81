import { Effect, FileSystem, Option } from "effect"
import * as Input from "./Input.ts"
import type * as Trouble from "./Trouble.ts"

export interface Line {
  /** Counted from 1, empty lines too. */
  readonly number: number
  readonly text: string
}

const newline = 0x0a
const readBytes = 256 * 1024

/**
 * Reads a file in chunks of whole lines, one chunk at a time in memory: as many lines and bytes as a chunk may have,
 * or one line that is longer. Empty lines are passed over. The same file, read from the end of a chunk, has the same
 * chunks.
 */
export const forEachChunk = Effect.fnUntraced(function* <R>(
  path: string,
  options: { readonly tasks: number; readonly bytes: number; readonly after?: number },
  visit: (chunk: ReadonlyArray<Line>) => Effect.Effect<void, Trouble.Trouble, R>
): Effect.fn.Return<void, Trouble.Trouble, R | FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const { after = 0 } = options
  let chunk: Array<Line> = []
  let bytes = 0
  let number = 0
  let begun: Array<Uint8Array> = []

  const flush = Effect.suspend(() => {
    const whole = chunk
    chunk = []
    bytes = 0
    return whole.length === 0 ? Effect.void : visit(whole)
  })
  const take = Effect.fnUntraced(function* (parts: ReadonlyArray<Uint8Array>) {
    number++
    if (number <= after) return
    const size = parts.reduce((sum, { length }) => sum + length, 0)
    const text = (yield* Input.text(parts, `${path}, line ${number},`)).trim()
    if (text === "") return
    if (chunk.length >= options.tasks || (chunk.length > 0 && bytes + size > options.bytes)) yield* flush
    chunk.push({ number, text })
    bytes += size
  })

  yield* Effect.scoped(
    Effect.gen(function* () {
      const file = yield* Input.inFile(path, fs.open(path, { flag: "r" }))
      for (;;) {
        const read = yield* Input.inFile(path, file.readAlloc(readBytes))
        if (Option.isNone(read)) break
        let start = 0
        for (let end = read.value.indexOf(newline); end >= 0; end = read.value.indexOf(newline, start)) {
          yield* take([...begun, read.value.subarray(start, end)])
          begun = []
          start = end + 1
        }
        if (start < read.value.length) begun.push(read.value.subarray(start))
      }
      if (begun.length > 0) yield* take(begun)
    })
  )
  yield* flush
})
