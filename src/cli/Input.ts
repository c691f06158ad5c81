import { Effect, Result, Stdio, Stream } from "effect"
import type { PlatformError } from "effect/PlatformError"
import * as Trouble from "./Trouble.ts"

/** All of stdin, as text. */
export const standard: Effect.Effect<string, PlatformError | Trouble.Ended, Stdio.Stdio> = Effect.gen(function* () {
  const { stdin } = yield* Stdio.Stdio
  return yield* text(yield* Stream.runCollect(stdin), "stdin")
})

/** Bytes as text; content that would not come out as it went in is refused. */
export const text = (chunks: Iterable<Uint8Array<ArrayBufferLike>>, source: string) =>
  Effect.fromResult(
    Result.try({
      try: () => {
        const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
        let whole = ""
        for (const chunk of chunks) whole += decoder.decode(chunk, { stream: true })
        return whole + decoder.decode()
      },
      catch: () => Trouble.ended("usage", `${source} is not UTF-8 text: encode it first, in base64 for example`)
    })
  )
