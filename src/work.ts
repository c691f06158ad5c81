import process from "node:process"
import { type Duration, Effect, type FileSystem, Layer, Option, Record, Result, Schema } from "effect"
import * as HttpCallbackSender from "./adapters/http/HttpCallbackSender.ts"
import { Secret } from "./adapters/http/Signature.ts"
import type { InvalidTarget } from "./adapters/http/SignedPost.ts"
import { type Target, urlOf } from "./adapters/http/Target.ts"
import type { InvalidCommand } from "./adapters/runners/CommandLine.ts"
import * as CommandTaskRunner from "./adapters/runners/CommandTaskRunner.ts"
import * as ConfiguredTaskRunner from "./adapters/runners/ConfiguredTaskRunner.ts"
import type { InvalidModule } from "./adapters/runners/HandlerThread.ts"
import * as HttpTaskRunner from "./adapters/runners/HttpTaskRunner.ts"
import * as ModuleTaskRunner from "./adapters/runners/ModuleTaskRunner.ts"
import * as RunnersFile from "./adapters/runners/RunnersFile.ts"
import * as SimulatedTaskRunner from "./adapters/runners/SimulatedTaskRunner.ts"
import { type Settings, SettingsError } from "./cli/Settings.ts"
import { variable } from "./cli/SettingsTable.ts"
import type { TaskRunner } from "./ports/TaskRunner.ts"

type Refusal = InvalidCommand | InvalidModule | InvalidTarget | RunnersFile.InvalidRunners

/** What does the work of tasks, and who is told of their end. */
export interface Work {
  readonly runner: Layer.Layer<TaskRunner, Refusal>
  readonly callbacks: Layer.Layer<never, InvalidTarget>
  /** Attempts at once: of all types, and of some. */
  readonly concurrency: number
  readonly typeLimits: Readonly<Record<string, number>>
  /** How long an attempt may run: of some types, and of all others. */
  readonly typeTimeouts: ReadonlyMap<string, Duration.Duration>
  readonly taskTimeout: Duration.Duration
}

const wrong = (...problems: ReadonlyArray<string>) => new SettingsError({ problems })

const decodeSecret = Schema.decodeUnknownResult(Secret)

/** Where the settings say that something is sent. */
const target = Effect.fnUntraced(function* (
  place: "http" | "callback",
  url: string,
  secret: string | undefined,
  allowPrivate: boolean
): Effect.fn.Return<Target, SettingsError> {
  const found = urlOf({ url, allowPrivate })
  if (Result.isFailure(found))
    return yield* wrong(`${variable(`${place}Url`)} ${JSON.stringify(url)}: ${found.failure}`)
  const secrets = secret === undefined ? [] : [decodeSecret(secret)]
  return {
    url,
    allowPrivate,
    headers: {},
    secrets: yield* Effect.mapError(Effect.fromResult(Result.all(secrets)), ({ message }) =>
      wrong(`${variable(`${place}Secret`)}: ${message}`)
    )
  }
})

const simpleRunner = (settings: Settings): Effect.Effect<Layer.Layer<TaskRunner, Refusal>, SettingsError> => {
  const { command, httpAllowPrivate, httpSecret, httpUrl, module, moduleMemory: memory, moduleWorkers } = settings
  if (command !== undefined) {
    return Effect.succeed(CommandTaskRunner.layer({ command }))
  }
  if (module !== undefined) {
    const options = { module, memory, workers: moduleWorkers ?? ModuleTaskRunner.usualWorkers }
    return Effect.succeed(ModuleTaskRunner.layer(options))
  }
  if (httpUrl === undefined) {
    return Effect.succeed(SimulatedTaskRunner.layer({ duration: settings.simulatedDuration }))
  }
  return Effect.map(target("http", httpUrl, httpSecret, httpAllowPrivate), HttpTaskRunner.layer)
}

const simple = Effect.fnUntraced(function* (settings: Settings): Effect.fn.Return<Work, SettingsError> {
  const { callbackAllowPrivate, callbackSecret, callbackUrl, concurrency, moduleWorkers } = settings
  const told =
    callbackUrl === undefined ? undefined : yield* target("callback", callbackUrl, callbackSecret, callbackAllowPrivate)
  return {
    runner: yield* simpleRunner(settings),
    callbacks: told === undefined ? Layer.empty : HttpCallbackSender.layer({ types: {}, others: told }),
    // what has no thread to run in does not begin
    concurrency:
      settings.module === undefined
        ? concurrency
        : Math.min(concurrency, moduleWorkers ?? ModuleTaskRunner.usualWorkers),
    typeLimits: {},
    typeTimeouts: new Map(),
    taskTimeout: settings.taskTimeout
  }
})

const configured = Effect.fnUntraced(function* (
  path: string,
  { concurrency, taskTimeout }: Settings
): Effect.fn.Return<Work, SettingsError, FileSystem.FileSystem> {
  const { problems, runners } = yield* RunnersFile.examine(path, process.env)
  if (problems.length > 0) return yield* wrong(...problems, ...(yield* ConfiguredTaskRunner.missing(runners)))
  const { callbacks, others, types } = runners
  const timeouts = Object.entries(types).map(([type, { timeout = taskTimeout }]) => [type, timeout] as const)
  return {
    runner: ConfiguredTaskRunner.layer(runners),
    callbacks: callbacks === undefined ? Layer.empty : HttpCallbackSender.layer(callbacks),
    concurrency,
    typeLimits: Record.filterMap(types, ({ concurrency }) =>
      Result.fromOption(Option.fromUndefinedOr(concurrency), () => undefined)
    ),
    typeTimeouts: new Map(timeouts),
    taskTimeout: others?.timeout ?? taskTimeout
  }
})

/** Composed of the settings, or of the file that they name. */
export const make = (settings: Settings): Effect.Effect<Work, SettingsError, FileSystem.FileSystem> =>
  settings.runnersFile === undefined ? simple(settings) : configured(settings.runnersFile, settings)
