import { Schema, String } from "effect"
import * as Text from "./SettingText.ts"

/**
 * One setting. Its flag and its variable are named after its key: `dataDir` is `--data-dir` and `VENOM_DATA_DIR`.
 * What OpenTelemetry has a variable for is read from that.
 */
export interface Row {
  readonly schema: Schema.Codec<unknown, string, never, never> | Schema.optionalKey<Schema.Codec<unknown, string>>
  /** As it would be written. */
  readonly default?: string
  /** What it means to have none. */
  readonly absent?: string
  readonly takes: string
  readonly about: string
  readonly variable?: string
  /** What is written is never told again. */
  readonly secret?: true
}

/** Every setting of `venom serve`: the only place that knows them. */
export const table = {
  host: { schema: Text.host, default: "127.0.0.1", takes: "host", about: "The address that HTTP listens on" },
  port: {
    schema: Text.wholeNumber(0, 65_535),
    default: "8000",
    takes: "port",
    about: "The port that HTTP listens on; 0 picks a free one, and the log says which"
  },
  allowOpen: {
    schema: Text.onOff,
    default: "false",
    takes: "true|false",
    about: "Listen beyond this machine although nobody needs a key"
  },
  apiKey: {
    schema: Schema.optionalKey(Text.apiKey),
    absent: "none",
    takes: "key",
    secret: true,
    about: "A key that may do everything, of 32 characters or more; better in the environment than in a command line"
  },
  keysDir: {
    schema: Schema.optionalKey(Text.filled),
    absent: "`keys` in the data directory",
    takes: "directory",
    about: "Where venom keys puts API keys; where it is, one is needed"
  },
  requestsPerKey: {
    schema: Text.wholeNumber(1, 1_000_000, "unlimited"),
    default: "unlimited",
    takes: "number",
    about: "Requests a second of each API key, or of all where none is needed; beyond it the answer is 429"
  },
  readOnly: {
    schema: Text.onOff,
    default: "false",
    takes: "true|false",
    about: "Nothing can be changed by HTTP"
  },
  environment: {
    schema: Text.label,
    default: "",
    absent: "none",
    takes: "text",
    about: "What people call this place, such as production; the page shows it"
  },
  allowedHosts: {
    schema: Text.hosts,
    default: "",
    absent: "none",
    takes: "names",
    about: "Further names accepted in the Host header, separated by commas, beside loopback names and the host"
  },
  store: {
    schema: Text.choice(["file", "memory", "postgres"]),
    default: "file",
    takes: "file|memory|postgres",
    about: "Where tasks are kept: postgres for several nodes; memory forgets them when the process ends"
  },
  databaseUrl: {
    schema: Schema.optionalKey(Text.filled),
    absent: "none",
    secret: true,
    takes: "postgres://…",
    about: "For the postgres store: the database, with user and password; its tables are made in the schema venom"
  },
  databaseConnections: {
    schema: Text.wholeNumber(4, 1000),
    default: "10",
    takes: "number",
    about: "For the postgres store: connections at most"
  },
  lease: {
    schema: Text.duration("1 second"),
    default: "10 seconds",
    takes: "duration",
    about: "For the postgres store: how long a node counts as alive that says nothing; then its tasks run elsewhere"
  },
  nodeName: {
    schema: Schema.optionalKey(Text.filled),
    absent: "the name of the machine",
    takes: "name",
    about: "For the postgres store: what this node is called where nodes are shown"
  },
  dataDir: {
    schema: Text.filled,
    default: "data/memory",
    takes: "directory",
    about: "The directory of the state files"
  },
  fsync: {
    schema: Text.choice(["always", "interval"]),
    default: "always",
    takes: "always|interval",
    about:
      "always: an acknowledged change is on disk; interval: synced every 100 ms, a power cut may take what came since"
  },
  dumpInterval: {
    schema: Text.duration("10 millis"),
    default: "1 second",
    takes: "duration",
    about: "How soon after a change state_dump.json shows it; longer as the state grows. The journal has it at once"
  },
  journalMaxBytes: {
    schema: Text.size("1 KiB", "1 TiB"),
    default: "67108864",
    takes: "size",
    about: "The size of a journal file that forces a dump and a new one; twice that, or the dump's, if dumps take long"
  },
  maxPending: {
    schema: Text.wholeNumber(1, 10_000_000),
    default: "1000000",
    takes: "number",
    about: "Unfinished tasks held, and idempotency keys beside them; beyond it a submit or a retry is answered with 503"
  },
  maxBody: {
    schema: Text.size("1 KiB", "1 GiB"),
    default: "2 MiB",
    takes: "size",
    about: "Larger request bodies are answered with 413; the content of a task has at most 1 MiB"
  },
  runner: {
    schema: Text.choice(["simulated", "command", "http", "module"]),
    default: "simulated",
    takes: "simulated|command|http|module",
    about: "What does the work of a task"
  },
  runnersFile: {
    schema: Schema.optionalKey(Text.filled),
    absent: "none",
    takes: "file",
    about: "In place of a runner: a JSON file that says what does the work of each type of task"
  },
  simulatedDuration: {
    schema: Text.duration("0 seconds"),
    default: "2 seconds",
    takes: "duration",
    about: "How long the simulated runner works on a task"
  },
  command: {
    schema: Schema.optionalKey(Text.filled),
    absent: "none",
    takes: "command line",
    about: "For the command runner: a program and its arguments, without a shell; content on stdin, result from stdout"
  },
  httpUrl: {
    schema: Schema.optionalKey(Text.filled),
    absent: "none",
    takes: "url",
    about: "For the http runner: where each attempt is a POST of the content, and the answer the result"
  },
  httpSecret: {
    schema: Schema.optionalKey(Text.filled),
    absent: "none",
    takes: "whsec_…",
    secret: true,
    about: "The secret that signs what the http runner sends; without it nothing is signed"
  },
  httpAllowPrivate: {
    schema: Text.onOff,
    default: "false",
    takes: "true|false",
    about: "Let the http runner connect to this machine and private networks"
  },
  module: {
    schema: Schema.optionalKey(Text.filled),
    absent: "none",
    takes: "file",
    about: "For the module runner: a TypeScript or JavaScript module whose default export has the handlers"
  },
  moduleWorkers: {
    schema: Schema.optionalKey(Text.wholeNumber(1, 1000)),
    absent: "one less than there are cores",
    takes: "number",
    about: "Worker threads of the module runner, and so attempts that run at once"
  },
  moduleMemory: {
    schema: Text.size("16 MiB", "1 TiB"),
    default: "256 MiB",
    takes: "size",
    about: "The heap that each worker thread of the module runner may have"
  },
  callbackUrl: {
    schema: Schema.optionalKey(Text.filled),
    absent: "none",
    takes: "url",
    about: "Where the end of each task is told, by a signed POST"
  },
  callbackSecret: {
    schema: Schema.optionalKey(Text.filled),
    absent: "none",
    takes: "whsec_…",
    secret: true,
    about: "The secret that signs what is told of the end of tasks"
  },
  callbackAllowPrivate: {
    schema: Text.onOff,
    default: "false",
    takes: "true|false",
    about: "Let the end of tasks be told to this machine and private networks"
  },
  concurrency: {
    schema: Text.wholeNumber(1, 10_000),
    default: "64",
    takes: "number",
    about: "Attempts running at once in this process"
  },
  maxAttempts: {
    schema: Text.wholeNumber(1, 1000),
    default: "5",
    takes: "number",
    about: "Attempts of a task that names no number of its own"
  },
  taskTimeout: {
    schema: Text.duration("1 millis"),
    default: "15 minutes",
    takes: "duration",
    about: "How long an attempt may run"
  },
  onRestart: {
    schema: Text.choice(["resume", "fail"]),
    default: "resume",
    takes: "resume|fail",
    about: "Tasks found PROCESSING at start: resume runs them again, fail makes them FAILED with the reason crashed"
  },
  crashLimit: {
    schema: Text.wholeNumber(1, 20),
    default: "3",
    takes: "number",
    about: "A task whose attempts ended with the process this often is FAILED with the reason crashed"
  },
  retention: {
    schema: Text.duration("1 second", "forever"),
    default: "7 days",
    takes: "duration",
    about: "How long a finished task is kept that names no time of its own; then it is deleted. Also: forever"
  },
  retentionFailed: {
    schema: Schema.optionalKey(Text.duration("1 second", "forever")),
    absent: "as `VENOM_RETENTION`",
    takes: "duration",
    about: "The same for tasks that are FAILED"
  },
  retentionCount: {
    schema: Text.wholeNumber(1, 100_000_000, "unlimited"),
    default: "1000000",
    takes: "number",
    about: "Finished tasks kept; beyond it those are deleted that finished first. Also: unlimited"
  },
  shutdownGrace: {
    schema: Text.duration("0 seconds"),
    default: "10 seconds",
    takes: "duration",
    about: "How long running attempts may finish after SIGTERM"
  },
  logLevel: {
    schema: Text.choice(["trace", "debug", "info", "warn", "error", "fatal", "none"]),
    default: "info",
    takes: "level",
    about: "The least level that is logged, on stderr: trace, debug, info, warn, error, fatal or none"
  },
  logFormat: {
    schema: Schema.optionalKey(Text.choice(["pretty", "json"])),
    absent: "pretty on a terminal, else json",
    takes: "pretty|json",
    about: "How a log event is written; json is one object on one line"
  },
  otlpEndpoint: {
    schema: Schema.optionalKey(Text.endpoint),
    absent: "none",
    takes: "url",
    variable: "OTEL_EXPORTER_OTLP_ENDPOINT",
    about: "Where traces and logs are sent by OTLP over HTTP, such as http://localhost:4318; without it nowhere"
  },
  otlpProtocol: {
    schema: Text.choice(["http/protobuf", "http/json"]),
    default: "http/protobuf",
    takes: "http/protobuf|http/json",
    variable: "OTEL_EXPORTER_OTLP_PROTOCOL",
    about: "How they are written"
  },
  otlpHeaders: {
    schema: Schema.optionalKey(Text.headerPairs),
    absent: "none",
    takes: "name=value,…",
    secret: true,
    variable: "OTEL_EXPORTER_OTLP_HEADERS",
    about: "Headers that are sent with them, such as a key"
  },
  serviceName: {
    schema: Schema.optionalKey(Text.filled),
    absent: "`venom`",
    takes: "name",
    variable: "OTEL_SERVICE_NAME",
    about: "What this service is called in traces and logs"
  },
  resourceAttributes: {
    schema: Schema.optionalKey(Text.attributePairs),
    absent: "none",
    takes: "name=value,…",
    variable: "OTEL_RESOURCE_ATTRIBUTES",
    about: "What else is said of it there, such as deployment.environment.name=production"
  }
} satisfies Record<string, Row>

export type Key = keyof typeof table

export const flag = (key: Key): string => String.kebabCase(key)
export const variable = (key: Key): string => {
  const row: Row = table[key]
  return row.variable ?? `VENOM_${String.constantCase(key)}`
}

/** Variables of the commands that ask a service: no settings of its own. */
export const ofClients = ["VENOM_URL"]
