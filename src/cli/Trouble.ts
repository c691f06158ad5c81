import { Schema } from "effect"
import type { PlatformError } from "effect/PlatformError"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as InputIssues from "../domain/InputIssues.ts"
import { exitCodes, type ExitCode } from "./ExitCode.ts"
import * as FileWords from "./FileWords.ts"
import * as SafeText from "./SafeText.ts"

/** How a command ends that has not done what was asked. Where there are lines, they have not been told yet. */
export class Ended extends Schema.TaggedError<Ended>()("Ended", {
  exitCode: Schema.Literals(Object.values(exitCodes)),
  lines: Schema.Array(Schema.String)
}) {
  override get message() {
    return this.lines.join("\n")
  }
}

export const ended = (code: keyof typeof exitCodes, ...lines: ReadonlyArray<string>): Ended =>
  new Ended({ exitCode: exitCodes[code], lines })

/** An end of which all is said. */
export const quiet = ({ exitCode }: Ended): Ended => new Ended({ exitCode, lines: [] })

/** A problem document of the service. */
interface Refusal {
  readonly _tag: string
  readonly status: number
  readonly title: string
  readonly detail?: string
  readonly errors?: ReadonlyArray<InputIssues.InputIssue>
}

export type Trouble = Ended | Refusal | HttpClientError | Schema.SchemaError | PlatformError

const ofStatus: Readonly<Record<number, ExitCode>> = {
  400: exitCodes.usage,
  404: exitCodes.notFound,
  413: exitCodes.usage,
  415: exitCodes.usage,
  422: exitCodes.usage,
  429: exitCodes.notReachable,
  503: exitCodes.notReachable
}

const keyHint = "Set VENOM_API_KEY to a key of the service: 'venom keys create' makes one where its data directory is"

const refused = ({ detail, errors = [], status, title }: Refusal): Ended =>
  new Ended({
    exitCode: ofStatus[status] ?? exitCodes.failed,
    lines: [
      // what is wrong with the input is said by its issues
      errors.length === 0 ? (detail ?? title) : title,
      ...issueLines(errors).map((line) => `  ${line}`),
      ...(status === 401 ? [keyHint] : []),
      ...(status === 503 ? ["The service cannot do this now: try again in a moment"] : [])
    ].map(SafeText.line)
  })

const causeOf = (cause: unknown): string | undefined => {
  if (!(cause instanceof Error)) return undefined
  const deeper = causeOf(cause.cause)
  return deeper ?? ("code" in cause && typeof cause.code === "string" ? cause.code : cause.message)
}

const unreached = (url: string, { reason, response }: HttpClientError): Ended => {
  if (reason._tag === "TransportError") {
    const why = causeOf(reason.cause)
    return ended(
      "notReachable",
      `Nothing answers at ${url}${why === undefined ? "" : ` (${SafeText.line(why)})`}`,
      "Start it with 'venom serve', or say where it is: --url or VENOM_URL"
    )
  }
  if (reason._tag === "InvalidUrlError") return ended("usage", `${url} is no URL, such as http://127.0.0.1:8000`)
  const status = response?.status
  if (status === 401 || status === 403) return ended("failed", `${url} refuses this (${status})`, keyHint)
  return ended(
    "failed",
    `${url} does not answer as Venom does${status === undefined ? "" : ` (status ${status})`}: is it another service, or another version?`
  )
}

/** What is wrong with input, a line each. */
export const issueLines = (issues: ReadonlyArray<InputIssues.InputIssue>): ReadonlyArray<string> =>
  issues.map(({ message, path }) => SafeText.line(path === "" ? message : `${path}: ${message}`))

/** Every trouble as an end: its exit code, and what to say. */
export const of = (url: string, trouble: Trouble): Ended => {
  if ("status" in trouble) return refused(trouble)
  switch (trouble._tag) {
    case "Ended":
      return trouble
    case "HttpClientError":
      return unreached(url, trouble)
    case "SchemaError":
      return ended("usage", ...issueLines(InputIssues.inBody(trouble)))
    case "PlatformError":
      return ended("failed", SafeText.line(FileWords.of(trouble)))
  }
}
