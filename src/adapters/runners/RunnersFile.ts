import { dirname, resolve } from "node:path"
import { Duration, Effect, FileSystem, Option, Record, Result, Schema } from "effect"
import * as InputIssues from "../../domain/InputIssues.ts"
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
  decodeCallback,
  decodeEntry,
  decodeFile,
  decodeFileLoosely,
  type Entry,
  isType,
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

const decodeTarget = Schema.decodeUnknownResult(Target, { errors: "all" })

const problemsAt = (at: string, error: Schema.SchemaError): ReadonlyArray<string> =>
  InputIssues.inBody(error).map(({ message, path }) => {
    const place = at === "" ? path : InputIssues.within(at, path)
    return place === "" ? message : `${place}: ${message}`
  })

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
    for (const { message, path } of InputIssues.inBody(target.failure)) {
      const [field = ""] = path.split(/[.[]/, 1)
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
  if (entry.secret === undefined) context.problems.push(`${at}.secret: Missing`)
  return targetOf(at, entry, context) ?? null
}

const callbacksOf = (
  callback: typeof CallbackEntry.Type | undefined,
  others: Entry | undefined,
  types: ReadonlyMap<string, Entry>,
  context: Context
): CallbackOptions | undefined => {
  if (others?.callback !== undefined) {
    context.problems.push("others.callback: a callback is for one of the types, or for all that have none: at the top")
  }
  const ofTypes = Array.from(types).flatMap(([type, entry]): ReadonlyArray<readonly [string, Target | null]> => {
    if (entry.callback === undefined) return []
    return [[type, entry.callback === false ? null : callbackOf(`types.${type}.callback`, entry.callback, context)]]
  })
  const ofOthers = callback === undefined ? null : callbackOf("callback", callback, context)
  return ofOthers === null && ofTypes.every(([, target]) => target === null)
    ? undefined
    : { types: Object.fromEntries(ofTypes), others: ofOthers }
}

/** What stands at a place, or nothing where it is not there or wrong. */
const readAt = <A>(
  at: string,
  input: unknown,
  decode: (input: unknown) => Result.Result<A, Schema.SchemaError>,
  { problems }: Context
): A | undefined => {
  if (input === undefined) return undefined
  const read = decode(input)
  if (Result.isSuccess(read)) return read.success
  problems.push(...problemsAt(at, read.failure))
  return undefined
}

/** What a file says as far as it is right, and all that is wrong with it. */
export interface Examined {
  readonly runners: Runners
  readonly problems: ReadonlyArray<string>
}

/** Paths in the text of a file are relative to its directory. */
const examineText = (
  text: string,
  path: string,
  environment: Readonly<Record<string, string | undefined>>
): Examined => {
  const context: Context = { directory: dirname(resolve(path)), environment, problems: [] }
  const { problems } = context
  const json = Result.try({ try: (): unknown => JSON.parse(text), catch: (error) => `it is no JSON: ${String(error)}` })
  if (Result.isFailure(json)) return { runners: nothing(path), problems: [json.failure] }
  readAt("", json.success, decodeFile, context)
  const file = Option.getOrElse(decodeFileLoosely(json.success), () => ({
    types: {},
    others: undefined,
    callback: undefined
  }))

  const entries = new Map<string, Entry>()
  for (const [type, input] of Object.entries(file.types ?? {})) {
    if (!isType(type)) problems.push(`types: no task can have the type ${JSON.stringify(type)}`)
    const entry = readAt(`types.${type}`, input, decodeEntry, context)
    if (entry !== undefined) entries.set(type, entry)
  }
  const other = readAt("others", file.others, decodeEntry, context)
  const types: Record<string, Work> = {}
  for (const [type, entry] of entries) {
    const work = workOf(`types.${type}`, entry, context)
    if (work !== undefined) types[type] = work
  }
  const others = other === undefined ? undefined : workOf("others", other, context)
  const callback = readAt("callback", file.callback, decodeCallback, context)
  const callbacks = callbacksOf(callback, other, entries, context)
  if (problems.length === 0 && others === undefined && Object.keys(types).length === 0) {
    problems.push("it says nothing of any type: every task would be held")
  }
  return { runners: { path, types, others, callbacks }, problems }
}

const nothing = (path: string): Runners => ({ path, types: {}, others: undefined, callbacks: undefined })

/** What the text of a file says. */
export const parse = (
  text: string,
  path: string,
  environment: Readonly<Record<string, string | undefined>>
): Result.Result<Runners, InvalidRunners> => {
  const { problems, runners } = examineText(text, path, environment)
  return problems.length > 0 ? Result.fail(new InvalidRunners({ problems })) : Result.succeed(runners)
}

/** Looks at a file; every problem names it. */
export const examine = (
  path: string,
  environment: Readonly<Record<string, string | undefined>>
): Effect.Effect<Examined, never, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(path)).pipe(
    Effect.match({
      onFailure: ({ reason }) => ({ runners: nothing(path), problems: [`it cannot be read: ${reason._tag}`] }),
      onSuccess: (text) => examineText(text, path, environment)
    }),
    Effect.map(({ problems, runners }) => ({ runners, problems: problems.map((problem) => `${path}: ${problem}`) }))
  )

/** Reads a file. */
export const read = (
  path: string,
  environment: Readonly<Record<string, string | undefined>>
): Effect.Effect<Runners, InvalidRunners, FileSystem.FileSystem> =>
  Effect.flatMap(examine(path, environment), ({ problems, runners }) =>
    problems.length > 0 ? Effect.fail(new InvalidRunners({ problems })) : Effect.succeed(runners)
  )
