import { fileURLToPath } from "node:url"
import { Schema } from "effect"
import protobuf from "protobufjs"

const root = protobuf.loadSync(fileURLToPath(new URL("otlp.proto", import.meta.url)))

const Value = Schema.Struct({
  stringValue: Schema.optionalKey(Schema.String),
  boolValue: Schema.optionalKey(Schema.Boolean),
  intValue: Schema.optionalKey(Schema.String),
  doubleValue: Schema.optionalKey(Schema.Number),
  arrayValue: Schema.optionalKey(Schema.Json)
})
const Attributes = Schema.Array(Schema.Struct({ key: Schema.String, value: Value }))
const Scope = Schema.Struct({ name: Schema.String, version: Schema.String })
const Resource = Schema.Struct({ attributes: Attributes })
const TraceId = Schema.String.check(Schema.isPattern(/^(?!0+$)[0-9a-f]{32}$/))
const SpanId = Schema.String.check(Schema.isPattern(/^(?!0+$)[0-9a-f]{16}$/))
const Nanos = Schema.String.check(Schema.isPattern(/^[1-9]\d{17,18}$/))

const Span = Schema.Struct({
  traceId: TraceId,
  spanId: SpanId,
  parentSpanId: Schema.optionalKey(SpanId),
  name: Schema.String.check(Schema.isNonEmpty()),
  kind: Schema.Literals([
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER"
  ]),
  startTimeUnixNano: Nanos,
  endTimeUnixNano: Nanos,
  attributes: Schema.optionalKey(Attributes),
  events: Schema.optionalKey(Schema.Array(Schema.Json)),
  links: Schema.optionalKey(Schema.Array(Schema.Struct({ traceId: TraceId, spanId: SpanId }))),
  status: Schema.Struct({ code: Schema.optionalKey(Schema.String), message: Schema.optionalKey(Schema.String) })
})
export type Span = typeof Span.Type

const LogRecord = Schema.Struct({
  timeUnixNano: Nanos,
  observedTimeUnixNano: Nanos,
  severityNumber: Schema.String,
  severityText: Schema.String,
  body: Value,
  attributes: Attributes,
  traceId: Schema.optionalKey(TraceId),
  spanId: Schema.optionalKey(SpanId)
})
export type LogRecord = typeof LogRecord.Type

const Traces = Schema.Struct({
  resourceSpans: Schema.Array(
    Schema.Struct({
      resource: Resource,
      scopeSpans: Schema.Array(Schema.Struct({ scope: Scope, spans: Schema.Array(Span) }))
    })
  )
})

const Logs = Schema.Struct({
  resourceLogs: Schema.Array(
    Schema.Struct({
      resource: Resource,
      scopeLogs: Schema.Array(Schema.Struct({ scope: Scope, logRecords: Schema.Array(LogRecord) }))
    })
  )
})

const services = {
  "/v1/traces": "ExportTraceServiceRequest",
  "/v1/logs": "ExportLogsServiceRequest"
} as const
export type Path = keyof typeof services
export const isPath = (path: string): path is Path => Object.hasOwn(services, path)

const ids: ReadonlyArray<string> = ["traceId", "spanId", "parentSpanId"]

/** OTLP in JSON has ids in hexadecimal, where JSON of protobuf has base64. */
const parsed = (type: protobuf.Type, body: Buffer): protobuf.Message =>
  type.fromObject(
    known(
      type,
      JSON.parse(body.toString("utf8"), (key, value: unknown) =>
        ids.includes(key) && typeof value === "string" ? Buffer.from(value, "hex").toString("base64") : value
      )
    )
  )

/** Fails where a field stands that the message does not have. */
const known = (type: protobuf.Type, value: unknown): { [name: string]: unknown } => {
  if (typeof value !== "object" || value === null) throw new Error(`${type.name} is ${String(value)}`)
  for (const [name, inner] of Object.entries(value)) {
    const field = type.fields[name]
    if (field === undefined) throw new Error(`${type.name} has no ${name}`)
    const inside = field.resolve().resolvedType
    if (inside instanceof protobuf.Type) for (const one of [inner].flat()) known(inside, one)
  }
  return { ...value }
}

/** By the definitions of OTLP; a field that they do not know fails. */
const decode = (path: Path, body: Buffer, contentType: string): unknown => {
  const type = root.lookupType(services[path])
  const isBinary = contentType === "application/x-protobuf"
  if (!isBinary && contentType !== "application/json") throw new Error(`no OTLP is ${contentType}`)
  const message = isBinary ? type.decode(body) : parsed(type, body)
  const wrong = type.verify(message)
  if (wrong !== null) throw new Error(wrong)
  // what was not understood is not written again
  const again = type.encode(message).finish()
  if (isBinary && again.length !== body.length) throw new Error(`${body.length - again.length} bytes of it are unknown`)
  return JSON.parse(
    JSON.stringify(type.toObject(message, { longs: String, enums: String }), (_, value: unknown) => hex(value))
  )
}

/** Bytes come as a buffer in the way of JSON. */
const hex = (value: unknown): unknown =>
  typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value
    ? Buffer.from(Array.isArray(value.data) ? value.data : []).toString("hex")
    : value

const decodeTraces = Schema.decodeUnknownSync(Traces)
const decodeLogs = Schema.decodeUnknownSync(Logs)

export interface Received {
  readonly resources: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly spans: ReadonlyArray<Span>
  readonly records: ReadonlyArray<LogRecord>
}

/** What a list of attributes says, by name. */
export const attributesOf = (attributes: typeof Attributes.Type = []): Readonly<Record<string, unknown>> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

export const read = (path: Path, body: Buffer, contentType: string): Received => {
  const decoded = decode(path, body, contentType)
  if (path === "/v1/logs") {
    const { resourceLogs } = decodeLogs(decoded)
    return {
      resources: resourceLogs.map(({ resource }) => attributesOf(resource.attributes)),
      spans: [],
      records: resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords))
    }
  }
  const { resourceSpans } = decodeTraces(decoded)
  return {
    resources: resourceSpans.map(({ resource }) => attributesOf(resource.attributes)),
    spans: resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    records: []
  }
}
