import { resolve } from "node:path"
import process from "node:process"
import { randomUUID } from "node:crypto"
import { Cause, Effect, type FileSystem, Layer, Predicate, Schema, type Stdio, String } from "effect"
import type { SecureRandom } from "effect/crypto"
import { HttpServer, type HttpServerError } from "effect/http"
import { DataDirectoryError } from "./adapters/file/Disk.ts"
import * as FileStateRepository from "./adapters/file/FileStateRepository.ts"
import * as WatchedKeys from "./adapters/keys/WatchedKeys.ts"
import * as MemoryStateRepository from "./adapters/memory/MemoryStateRepository.ts"
import type { DatabaseUnavailable } from "./adapters/postgres/Connected.ts"
import * as FileWords from "./cli/FileWords.ts"
import { type Settings, SettingsError, whyNotOpen } from "./cli/Settings.ts"
import * as Engine from "./engine/Engine.ts"
import { defaults, EngineSettings } from "./engine/EngineSettings.ts"
import * as Shutdown from "./engine/Shutdown.ts"
import * as Log from "./host/Log.ts"
import * as Threshold from "./host/Threshold.ts"
import * as RandomBytes from "./host/RandomBytes.ts"
import * as NodeServer from "./server/NodeServer.ts"
import { version } from "./host/Version.ts"
import { ApiKeys } from "./ports/ApiKeys.ts"
import type { StateRepository } from "./ports/StateRepository.ts"
import { TypeLimits } from "./ports/TypeLimits.ts"
import * as Start from "./start.ts"
import * as Work from "./work.ts"

/** The service could not start, or broke. The log says why. */
export class ServiceFailed extends Schema.TaggedError<ServiceFailed>()("ServiceFailed", { exitCode: Schema.Int }) {}

/** Absolute: making a relative path anew never ends in Node when the working directory is gone. */
const directory = (settings: Settings) => resolve(settings.dataDir)

/** Loaded only where it is used: files need nothing of it. */
const postgres = (settings: Settings, concurrency: number) =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("./adapters/postgres/Connected.ts")),
      (connected) =>
        connected.layer({
          url: settings.databaseUrl ?? "",
          connections: settings.databaseConnections,
          maxPending: settings.maxPending,
          lease: settings.lease,
          concurrency,
          version,
          ...(settings.nodeName === undefined ? {} : { name: settings.nodeName })
        })
    )
  )

const repository = (
  settings: Settings,
  concurrency: number
): Layer.Layer<
  StateRepository,
  DataDirectoryError | DatabaseUnavailable,
  FileSystem.FileSystem | SecureRandom.SecureRandom
> => {
  switch (settings.store) {
    case "memory":
      return MemoryStateRepository.layer(settings)
    case "file":
      return FileStateRepository.layer({ ...settings, directory: directory(settings) })
    case "postgres":
      return postgres(settings, concurrency)
  }
}

/** Says where it listens once it does. */
const started = (settings: Settings, concurrency: number) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      yield* Start.over
      const host = settings.host.includes(":") ? `[${settings.host}]` : settings.host
      const url = `http://${host}:${address._tag === "UnixPathAddress" ? settings.port : address.port}`
      yield* Effect.logInfo(`Venom ${version} serves ${url}`).pipe(
        Effect.annotateLogs({
          url,
          version,
          store: settings.store,
          ...(settings.store === "file" ? { data_dir: directory(settings) } : {}),
          runner: settings.runnersFile ?? settings.runner,
          concurrency
        })
      )
    })
  )

/** What is named first ends first, what is named last begins first: a wrong command is told before a file is touched. */
const service = (settings: Settings) =>
  Layer.unwrap(Effect.map(Work.make(settings), (work) => composed(settings, work)))

/** The keys of this service; refuses to serve everyone where that was not asked for. */
const keys = (settings: Settings) =>
  Layer.effect(
    ApiKeys,
    Effect.gen(function* () {
      const place = resolve(settings.keysDir ?? `${settings.dataDir}/keys`)
      const known = yield* WatchedKeys.make({
        directory: place,
        ...(settings.apiKey === undefined ? {} : { apiKey: settings.apiKey })
      }).pipe(
        Effect.catchTag("PlatformError", (error) =>
          Effect.fail(new DataDirectoryError({ directory: place, reason: FileWords.reasonOf(error) }))
        )
      )
      const whyNot = known.isLocked() ? undefined : whyNotOpen(settings)
      return whyNot === undefined ? known : yield* refused(whyNot)
    })
  )

const composed = (settings: Settings, { callbacks, runner, typeLimits, ...work }: Work.Work) =>
  started(settings, work.concurrency).pipe(
    Layer.provideMerge(Shutdown.layer),
    Layer.provideMerge(NodeServer.answering),
    Layer.provideMerge(Engine.layer),
    Layer.provide(repository(settings, work.concurrency)),
    // a port in use is told before a file is touched, and probes are answered while the state is read
    Layer.provideMerge(NodeServer.listening(settings)),
    Layer.provide(Start.layer),
    Layer.provide(runner),
    Layer.provide(callbacks),
    Layer.provide(Layer.succeed(TypeLimits, typeLimits)),
    Layer.provide(RandomBytes.layer),
    Layer.provide(keys(settings)),
    Layer.provide(Layer.succeed(EngineSettings, { ...defaults, ...settings, ...work, version }))
  )

/** Traces and logs to a collector, where there is one. Loaded only then. */
const telemetry = (
  threshold: Threshold.Threshold,
  {
    nodeName,
    otlpEndpoint: endpoint,
    otlpHeaders: headers = {},
    otlpProtocol: protocol,
    resourceAttributes = {},
    serviceName = resourceAttributes["service.name"] ?? "venom"
  }: Settings
): Layer.Layer<never> => {
  if (endpoint === undefined) return Layer.empty
  const attributes = { "service.instance.id": nodeName ?? randomUUID(), ...resourceAttributes }
  return Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("./adapters/otlp/Otlp.ts")),
      (otlp) =>
        otlp.layer({
          endpoint,
          headers,
          protocol,
          serviceName,
          version,
          attributes,
          filter: (logger) => Log.guarded(Log.inWords(logger), threshold)
        })
    )
  )
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is in use",
  EACCES: "this user may not use the port",
  EADDRNOTAVAIL: "it is no address of this machine",
  ENOTFOUND: "no such host is known"
}

const whyNot = ({ cause }: HttpServerError.ServeError): string => {
  const known = Predicate.hasProperty(cause, "code") ? reasons[`${cause.code}`] : undefined
  return known ?? (cause instanceof Error ? cause.message : `${cause}`)
}

const failed = (exitCode: number, ...message: ReadonlyArray<unknown>) =>
  Effect.andThen(Effect.logFatal(...message), Effect.fail(new ServiceFailed({ exitCode })))

const refused = (...problems: ReadonlyArray<string>) => Effect.fail(new SettingsError({ problems }))

/** Serves until it is interrupted. What fails with `ServiceFailed` is in the log. */
export const serve = (
  settings: Settings,
  unknownVariables: ReadonlyArray<string>
): Effect.Effect<never, SettingsError | ServiceFailed, FileSystem.FileSystem | Stdio.Stdio> => {
  const threshold = Threshold.make(String.capitalize(settings.logLevel))
  return Effect.forEach(unknownVariables, (name) =>
    Effect.logWarning(`${name} is set, and no setting of Venom has that name`)
  ).pipe(
    Effect.andThen(Layer.launch(service(settings))),
    Effect.catchTags({
      InvalidCommand: ({ message }) => refused(`the command: ${message}`),
      InvalidModule: ({ message }) => refused(message),
      InvalidTarget: ({ message }) => refused(message),
      InvalidKeyFile: ({ message }) => refused(message),
      InvalidRunners: ({ problems }) => refused(...problems),
      DataDirectoryError: ({ message }) => failed(3, message),
      DatabaseUnavailable: ({ message }) => failed(1, message),
      ServeError: (error) => failed(1, `Cannot listen on ${settings.host} port ${settings.port}: ${whyNot(error)}`)
    }),
    Effect.catchCauseIf(Cause.hasDies, (cause) => failed(1, "Venom broke", cause)),
    Effect.provide(
      Layer.provideMerge(
        Layer.merge(telemetry(threshold, settings), Threshold.layer(threshold)),
        Log.layer({
          threshold,
          format: settings.logFormat ?? (process.stderr.isTTY ? "pretty" : "json"),
          colors: process.stderr.isTTY && process.env["NO_COLOR"] === undefined
        })
      )
    )
  )
}
