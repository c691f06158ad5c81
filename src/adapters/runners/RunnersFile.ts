import { dirname, resolve } from "node:path"
import { Duration, Effect, FileSystem, Record, Result, Schema, SchemaIssue, SchemaParser } from "effect"
import * as Span from "../../domain/Span.ts"
import type { CallbackOptions } from "../http/HttpCallbackSender.ts"
import { Target, urlOf } from "../http/Target.ts"
import type { CommandOptions } from "./CommandTaskRunner.ts"
import type { HttpOptions } from "./HttpTaskRunner.ts"
import * as Inherited from "./Inherited.ts"
import { type ModuleOptions, usualWorkers } from "./ModuleTaskRunner.ts"
import {
  bytesOf,
  type CallbackEntry,
  type CommandEntry,
  decode,
  type Entry,
  type File,
  type Text
} from "./RunnersSchema.ts"
import type { SimulatedOptions } from "./SimulatedTaskRunner.ts"

/** The file is no configuration of runners, or what it names is not there: one line each. */
export class InvalidRunners extends Schema.TaggedError<InvalidRunners>()("InvalidRunners", {
  problems: Schema.Array(Schema.String)
}) {
  override get message() {
    return this.problems.join("\n")
  }
}

/** What does the work of a type. */
export type Runner =
  | { readonly _tag: "Command"; readonly options: CommandOptions }
  | { readonly _tag: "Http"; readonly options: HttpOptions }
  | { readonly _tag: "Module"; readonly options: ModuleOptions }
  | { readonly _tag: "Simulated"; readonly options: SimulatedOptions }

export interface Work {
  readonly runner: Runner
  /** How long an attempt may run. */
  readonly timeout?: Duration.Duration
  /** Attempts at once. */
  readonly concurrency?: number
}

export interface Runners {
  /** The file that says so. */
  readonly path: string
  readonly types: Readonly<Record<string, Work>>
  /** For all other types; without it they are held. */
  readonly others: Work | undefined
  readonly callbacks: CallbackOptions | undefined
}

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()
const decodeTarget = SchemaParser.decodeUnknownResult(Target, { errors: "all" })

const problemsOf = (issue: SchemaIssue.Issue): ReadonlyArray<string> =>
  issuesOf(issue).issues.map(({ message, path = [] }) =>
    path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`
  )

interface Context {
  readonly directory: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly problems: Array<string>
}

const textOf = (at: string, text: Text, { environment, problems }: Context): string => {
  if (typeof text === "string") return text
  const value = environment[text.variable]
  if (value === undefined || value === "") problems.push(`${at}: the variable ${text.variable} is not set`)
  return value ?? ""
}

const textsOf = (
  at: string,
  texts: Readonly<Record<string, Text>>,
  context: Context
): Readonly<Record<string, string>> => Record.map(texts, (text, name) => textOf(`${at}.${name}`, text, context))

const environmentOf = (
  at: string,
  { environment = {}, inherit = Inherited.usual }: Pick<typeof CommandEntry.Type, "environment" | "inherit">,
  context: Context
) => ({
  ...(inherit === "all" ? Inherited.all(context.environment) : Inherited.only(inherit, context.environment)),
  ...textsOf(`${at}.environment`, environment, context)
})

const isOne = (secret: Text | ReadonlyArray<Text>): secret is Text => typeof secret === "string" || "variable" in secret

const listOf = (secret: Text | ReadonlyArray<Text> | undefined): ReadonlyArray<Text> =>
  secret === undefined ? [] : isOne(secret) ? [secret] : secret

const targetOf = (at: string, entry: typeof CallbackEntry.Type, context: Context): Target | undefined => {
  const { allow_private: allowPrivate = false, headers = {}, secret, url } = entry
  const { problems } = context
  const before = problems.length
  const secrets = listOf(secret).map((text) => textOf(`${at}.secret`, text, context))
  const given = { url, secrets, allowPrivate, headers: textsOf(`${at}.headers`, headers, context) }
  if (problems.length > before) return undefined
  const target = decodeTarget(given)
  if (Result.isFailure(target)) {
    const names: Readonly<Record<string, string>> = { secrets: "secret" }
    for (const { message, path = [] } of issuesOf(target.failure).issues) {
      const [field = ""] = path.map(String)
      problems.push(`${at}.${names[field] ?? field}: ${message}`)
    }
    return undefined
  }
  const isWrong = urlOf(target.success)
  if (Result.isFailure(isWrong)) problems.push(`${at}.url: ${isWrong.failure}`)
  return target.success
}

const runnerOf = (at: string, entry: Entry, context: Context): Runner | undefined => {
  const { directory } = context
  switch (entry.runner) {
    case "command":
      return {
        _tag: "Command",
        options: {
          command: entry.command,
          directory: resolve(directory, entry.directory ?? "."),
          environment: environmentOf(at, entry, context)
        }
      }
    case "http": {
      const target = targetOf(at, entry, context)
      return target === undefined ? undefined : { _tag: "Http", options: target }
    }
    case "module":
      return {
        _tag: "Module",
        options: {
          module: resolve(directory, entry.module),
          workers: entry.concurrency ?? usualWorkers,
          environment: environmentOf(at, entry, context),
          ...(entry.memory === undefined ? {} : { memory: bytesOf(entry.memory) })
        }
      }
    case "simulated":
      return {
        _tag: "Simulated",
        options: entry.duration === undefined ? {} : { duration: Duration.millis(Span.millis(entry.duration)) }
      }
  }
}

const workOf = (at: string, entry: Entry, context: Context): Work | undefined => {
  const runner = runnerOf(at, entry, context)
  const concurrency = entry.runner === "module" ? (entry.concurrency ?? usualWorkers) : entry.concurrency
  return runner === undefined
    ? undefined
    : {
        runner,
        ...(entry.timeout === undefined ? {} : { timeout: Duration.millis(Span.millis(entry.timeout)) }),
        ...(concurrency === undefined ? {} : { concurrency })
      }
}

/** Callbacks are signed: whoever receives one can tell that it is none of somebody else. */
const callbackOf = (at: string, entry: typeof CallbackEntry.Type, context: Context): Target | null => {
  if (entry.secret === undefined) context.problems.push(`${at}.secret: Missing key`)
  return targetOf(at, entry, context) ?? null
}

const callbacksOf = (
  { callback, others, types = {} }: typeof File.Type,
  context: Context
): CallbackOptions | undefined => {
  if (others?.callback !== undefined) {
    context.problems.push("others.callback: a callback is for one of the types, or for all that have none: at the top")
  }
  const ofTypes = Object.entries(types).flatMap(([type, entry]): ReadonlyArray<readonly [string, Target | null]> => {
    if (entry.callback === undefined) return []
    return [[type, entry.callback === false ? null : callbackOf(`types.${type}.callback`, entry.callback, context)]]
  })
  const ofOthers = callback === undefined ? null : callbackOf("callback", callback, context)
  return ofOthers === null && ofTypes.every(([, target]) => target === null)
    ? undefined
    : { types: Object.fromEntries(ofTypes), others: ofOthers }
}

/** What the text of a file says. Paths in it are relative to its directory. */
export const parse = (
  text: string,
  path: string,
  environment: Readonly<Record<string, string | undefined>>
): Result.Result<Runners, InvalidRunners> => {
  const json = Result.try({ try: (): unknown => JSON.parse(text), catch: (error) => `it is no JSON: ${String(error)}` })
  if (Result.isFailure(json)) return Result.fail(new InvalidRunners({ problems: [json.failure] }))
  const decoded = decode(json.success)
  if (Result.isFailure(decoded)) return Result.fail(new InvalidRunners({ problems: problemsOf(decoded.failure) }))
  const file = decoded.success
  const context: Context = { directory: dirname(resolve(path)), environment, problems: [] }
  const types: Record<string, Work> = {}
  for (const [type, entry] of Object.entries(file.types ?? {})) {
    const work = workOf(`types.${type}`, entry, context)
    if (work !== undefined) types[type] = work
  }
  const others = file.others === undefined ? undefined : workOf("others", file.others, context)
  const callbacks = callbacksOf(file, context)
  const { problems } = context
  if (problems.length === 0 && others === undefined && Object.keys(types).length === 0) {
    problems.push("it says nothing of any type: every task would be held")
  }
  return problems.length > 0
    ? Result.fail(new InvalidRunners({ problems }))
    : Result.succeed({ path, types, others, callbacks })
}

/** Reads a file; every problem names it. */
export const read = (
  path: string,
  environment: Readonly<Record<string, string | undefined>>
): Effect.Effect<Runners, InvalidRunners, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const text = yield* Effect.mapError(
      fs.readFileString(path),
      ({ reason }) => new InvalidRunners({ problems: [`it cannot be read: ${reason._tag}`] })
    )
    return yield* Effect.fromResult(parse(text, path, environment))
  }).pipe(
    Effect.mapError(
      ({ problems }) => new InvalidRunners({ problems: problems.map((problem) => `${path}: ${problem}`) })
    )
  )
