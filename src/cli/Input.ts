import { Effect, FileSystem, Result, type Schema, Stdio, Stream } from "effect"
import { PlatformError } from "effect/PlatformError"
import * as InputIssues from "../domain/InputIssues.ts"
import * as FileWords from "./FileWords.ts"
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

/** What a file that the user named has in it. */
export const file = (path: string): Effect.Effect<string, Trouble.Ended, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* text(yield* inFile(path, Stream.runCollect(fs.stream(path))), path)
  })

/** A file that the user named and that cannot be used is wrong usage. */
export const inFile = <A, E, R>(path: string, work: Effect.Effect<A, E | PlatformError, R>) =>
  Effect.catchIf(work, isPlatformError, (error) => Effect.fail(Trouble.ended("usage", FileWords.of(error, path))))

const isPlatformError = (error: unknown): error is PlatformError => error instanceof PlatformError

/** JSON as a schema has it, or a line for each thing that is wrong with it. */
export const json =
  <A>(decode: (input: unknown) => Result.Result<A, Schema.SchemaError>) =>
  (text: string): Result.Result<A, ReadonlyArray<string>> => {
    if (text.trim() === "") return Result.fail(["Expected JSON, found nothing"])
    const parsed = Result.try({
      try: (): unknown => JSON.parse(text),
      catch: (error) => [`Not valid JSON: ${error instanceof Error ? error.message : ""}`]
    })
    return Result.flatMap(parsed, (input) =>
      Result.mapError(decode(input), (error) => Trouble.issueLines(InputIssues.inBody(error)))
    )
  }
