import { ByteSize, Effect, Result, Schema } from "effect"
import { HttpIncomingMessage, type HttpServerRequest, type HttpServerResponse } from "effect/http"
import { problems } from "../api/Problem.ts"
import * as InputIssues from "../domain/InputIssues.ts"
import { type Problem, problem, type ProblemMembers } from "./JsonResponse.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse
type Issues = ReadonlyArray<InputIssues.InputIssue>

/** What a body stands for, or all that is wrong with it. */
export type Decode<A> = (input: unknown) => Result.Result<A, Issues>

/** By a schema: every issue is told, unless there may be so many that finding them would keep others waiting. */
export const by = <S extends Schema.Codec<unknown, unknown>>(schema: S): Decode<S["Type"]> => {
  const strict = { onExcessProperty: "error" } as const
  const decodeAll = Schema.decodeUnknownResult(schema, { errors: "all", ...strict })
  const decodeFirst = Schema.decodeUnknownResult(schema, { errors: "first", ...strict })
  return (input) => Result.mapError(hasMoreThan(100, input) ? decodeFirst(input) : decodeAll(input), InputIssues.inBody)
}

const hasMoreThan = (most: number, input: unknown): boolean =>
  typeof input === "object" &&
  input !== null &&
  (Object.keys(input).length > most || ("tags" in input && Array.isArray(input.tags) && input.tags.length > most))

/**
 * What is in a body, or the answer that refuses it. Strict where the library is lenient: the media type is named,
 * the bytes are UTF-8, the limit holds before the body is read where its length is told.
 */
export const read = <A>(
  request: Request,
  maxBody: number,
  decode: Decode<A>,
  isTooLarge: (input: unknown) => boolean = () => false
): Effect.Effect<A, Response> => {
  const refuse = (kind: Problem, members: ProblemMembers) => Effect.fail(problem(request, kind, members))
  const tooLarge = () => refuse(problems.contentTooLarge, { detail: `The body may have ${maxBody} bytes at most` })

  const foreign = foreignMediaType(request.headers)
  if (foreign !== undefined) return refuse(problems.unsupportedMediaType, { detail: foreign })
  if (Number(request.headers["content-length"]) > maxBody) return tooLarge()

  return request.arrayBuffer.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(maxBody)),
    // a client may take its time, the end of the service may not
    Effect.interruptible,
    Effect.catch(({ reason }) =>
      reason._tag === "RequestParseError" && reason.reason === "BodyTooLarge"
        ? tooLarge()
        : refuse(problems.invalidRequest, { detail: "The body ended before it was whole" })
    ),
    Effect.flatMap((bytes) => {
      const parsed = Result.flatMap(textOf(bytes), jsonOf)
      if (Result.isFailure(parsed)) return refuse(problems.invalidRequest, invalid([parsed.failure]))
      const decoded = decode(parsed.success)
      return Result.isSuccess(decoded)
        ? Effect.succeed(decoded.success)
        : refuse(
            isTooLarge(parsed.success) ? problems.contentTooLarge : problems.invalidRequest,
            invalid(decoded.failure)
          )
    })
  )
}

const nothing: Decode<void> = (input) =>
  typeof input === "object" && input !== null && !Array.isArray(input) && Object.keys(input).length === 0
    ? Result.succeed(undefined)
    : Result.fail([{ path: "", message: "Expected no body, or an object without fields" }])

export const isThere = ({ headers }: Request): boolean =>
  (headers["content-length"] ?? "0") !== "0" || headers["transfer-encoding"] !== undefined

/** For what needs no body: there is none, or an object without fields. */
export const none = (request: Request, maxBody: number): Effect.Effect<void, Response> =>
  isThere(request) ? read(request, maxBody, nothing) : Effect.void

const invalid = (errors: Issues): ProblemMembers => ({ detail: InputIssues.summary(errors), errors })

const foreignMediaType = (headers: Request["headers"]): string | undefined => {
  const encoding = headers["content-encoding"]
  const isCompressed = encoding !== undefined && encoding.toLowerCase() !== "identity"
  // what Node has taken away is the chunks alone
  if (isCompressed || (headers["transfer-encoding"] ?? "chunked").toLowerCase() !== "chunked") {
    return "The body must not be compressed"
  }
  const [type, ...parameters] = (headers["content-type"] ?? "").toLowerCase().split(";")
  if (type?.trim() !== "application/json") return "The body must be JSON: send Content-Type: application/json"
  const charsets = parameters.flatMap((parameter) => /^charset="?([^"]*)"?$/.exec(parameter.trim())?.[1] ?? [])
  return charsets.every((charset) => charset === "utf-8" || charset === "utf8") ? undefined : "The body must be UTF-8"
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const textOf = (bytes: ArrayBuffer) =>
  Result.try({ try: () => utf8.decode(bytes), catch: () => ({ path: "", message: "Not valid UTF-8" }) })

const jsonOf = (text: string) =>
  Result.try({
    try: (): unknown => JSON.parse(text),
    catch: (error) => ({ path: "", message: `Not valid JSON: ${error instanceof Error ? error.message : ""}` })
  })
