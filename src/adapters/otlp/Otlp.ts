import { Cause, ConfigProvider, Duration, Effect, Exit, Layer, Logger, Option, Predicate, Tracer } from "effect"
import { HttpClient } from "effect/http"
import { OtlpExporter, OtlpLogger, OtlpSerialization, OtlpTracer } from "effect/observability"
import * as Collector from "./Collector.ts"

export interface OtlpOptions {
  /** Where `/v1/traces` and `/v1/logs` are. */
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly protocol: "http/protobuf" | "http/json"
  readonly serviceName: string
  readonly version: string
  /** Stands before what sends the log: what gets through to it, and in which words. */
  readonly filter: (logger: Logger.Logger<unknown, void>) => Logger.Logger<unknown, void>
  /** What else tells this process from others. */
  readonly attributes: Readonly<Record<string, string>>
}

/** What has happened is sent so soon. */
const interval = Duration.seconds(1)

/** How long the end of the service waits for the last of it. */
const lastWords = Duration.seconds(2)

/** Of a failure its kind alone: what it says may quote what somebody has sent. */
const reticent = (span: Tracer.Span): Tracer.Span => {
  const end = span.end.bind(span)
  span.end = (time, exit) => end(time, Exit.isSuccess(exit) ? exit : Exit.failCause(kindOf(exit.cause)))
  return span
}

const kindOf = (cause: Cause.Cause<unknown>): Cause.Cause<unknown> => {
  if (Cause.hasInterruptsOnly(cause)) return cause
  if (Cause.hasDies(cause)) return Cause.fail("defect")
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  return Cause.fail(
    Predicate.hasProperty(error, "_tag") ? `${error._tag}` : typeof error === "string" ? error : "error"
  )
}

/** Spans without a reader. */
const unread = (options: Parameters<Tracer.Tracer["span"]>[0]): Tracer.Span =>
  new Tracer.NativeSpan({ ...options, sampled: false })

/**
 * Only what comes in and what is worked on begins a trace: that this process looks for work, or writes down what it
 * has, does not. A span begun while the collector is behind is not kept.
 */
const bounded = (tracer: Tracer.Tracer, hasRoom: () => boolean): Tracer.Tracer =>
  Tracer.make({
    span: (options) => {
      const isStray = Option.isNone(options.parent) && (options.kind === "internal" || options.kind === "client")
      return isStray || !hasRoom() ? unread(options) : reticent(tracer.span(options))
    },
    ...(tracer.context === undefined ? {} : { context: tracer.context })
  })

/**
 * Traces and logs over OTLP. The log of the process goes on as it was; both are about the same events.
 *
 * What cannot be sent is dropped after some tries: nothing waits for it, and it takes a bounded room in memory.
 */
export const layer = (options: OtlpOptions): Layer.Layer<never> => {
  const { attributes, endpoint, filter, headers, serviceName, version } = options
  const to = (signal: "traces" | "logs") => ({
    url: `${endpoint.replace(/\/+$/, "")}/v1/${signal}`,
    headers,
    resource: { serviceName, serviceVersion: version, attributes },
    exportInterval: interval,
    shutdownTimeout: lastWords
  })
  const serialization = options.protocol === "http/json" ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf

  return Layer.unwrap(
    Effect.map(Collector.make, ({ client, hasRoom }) => {
      const tracer = Layer.effect(
        Tracer.Tracer,
        Effect.map(OtlpTracer.make(to("traces")), (tracer) => bounded(tracer, hasRoom))
      )
      const logger = Logger.layer(
        [
          Effect.map(OtlpLogger.make({ ...to("logs"), excludeLogSpans: true }), (logger) =>
            filter(Logger.make((event) => (hasRoom() ? logger.log(event) : undefined)))
          )
        ],
        { mergeWithExisting: true }
      )
      return Layer.merge(tracer, logger).pipe(
        Layer.provide([serialization, OtlpExporter.layerFlusher, Layer.succeed(HttpClient.HttpClient, client)]),
        // the settings say all of it
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({})))
      )
    })
  )
}
