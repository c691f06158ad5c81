import { Duration, Record, Redacted, Result } from "effect"
import { assert, describe, it } from "vitest"
import * as Settings from "../../src/cli/Settings.ts"
import * as Table from "../../src/cli/SettingsTable.ts"
import { defaults } from "../../src/engine/EngineSettings.ts"

type Texts = Readonly<Record<string, string>>

const read = (flags: Texts, environment: Texts = {}) => Settings.resolve({ flags, environment })
const settings = (flags: Texts, environment: Texts = {}) => Result.getOrThrow(read(flags, environment))
const problems = (flags: Texts, environment: Texts = {}) =>
  Result.match(read(flags, environment), { onFailure: (error) => error.problems, onSuccess: () => [] })

/** Two values of each setting, as written, and what they need beside them. */
const twoValues: Record<Table.Key, readonly [string, string, beside?: Texts]> = {
  host: ["localhost", "::1"],
  port: ["1", "65535"],
  allowOpen: ["true", "false"],
  apiKey: ["x".repeat(32), "y".repeat(64)],
  keysDir: ["keys", "/etc/venom/keys"],
  requestsPerKey: ["100", "unlimited"],
  readOnly: ["true", "false"],
  environment: ["production", "test"],
  allowedHosts: ["venom.example", "a.example, b.example"],
  store: ["file", "memory"],
  databaseUrl: ["postgres://a/b", "postgresql://u:p@h:5432/d?sslmode=require", { store: "postgres" }],
  databaseConnections: ["4", "1000"],
  lease: ["1 second", "1 minute"],
  nodeName: ["a", "b"],
  dataDir: ["here", "over there"],
  fsync: ["always", "interval"],
  dumpInterval: ["10 millis", "1 minute"],
  journalMaxBytes: ["1024", "1 TiB"],
  maxPending: ["1", "10000000"],
  maxBody: ["1 KiB", "1 GiB"],
  runner: ["simulated", "command"],
  simulatedDuration: ["0 seconds", "10 millis"],
  runnersFile: ["runners.json", "/etc/venom/runners.json"],
  command: ["wc -w", "cat", { runner: "command" }],
  httpUrl: ["https://a.example", "https://b.example", { runner: "http" }],
  httpSecret: ["whsec_a", "whsec_b", { runner: "http", httpUrl: "https://a.example" }],
  httpAllowPrivate: ["true", "false"],
  module: ["handlers.ts", "other.mjs", { runner: "module" }],
  moduleWorkers: ["1", "1000", { runner: "module", module: "handlers.ts" }],
  moduleMemory: ["16 MiB", "1 GiB"],
  callbackUrl: ["https://a.example", "https://b.example", { callbackSecret: "whsec_a" }],
  callbackSecret: ["whsec_a", "whsec_b", { callbackUrl: "https://a.example" }],
  callbackAllowPrivate: ["true", "false"],
  concurrency: ["1", "10000"],
  maxAttempts: ["1", "1000"],
  taskTimeout: ["1 millis", "3650 days"],
  onRestart: ["resume", "fail"],
  crashLimit: ["1", "20"],
  retention: ["1 second", "forever"],
  retentionFailed: ["1 second", "forever"],
  retentionCount: ["1", "unlimited"],
  shutdownGrace: ["0 seconds", "1 hour"],
  logLevel: ["trace", "none"],
  logFormat: ["pretty", "json"],
  otlpEndpoint: ["http://localhost:4318", "https://otlp.example/tenant/"],
  otlpProtocol: ["http/protobuf", "http/json"],
  otlpHeaders: ["api-key=a%20b", "a=1, b=2"],
  serviceName: ["a", "b"],
  resourceAttributes: ["deployment.environment.name=test", "a=%C3%A9,b="]
}

/** What each setting refuses, and what it says then. */
const refused: Record<Table.Key, { readonly texts: ReadonlyArray<string>; readonly says: string }> = {
  host: { texts: ["127.0.0.1:80", "[::1]", "a b", "http://x", "-x", "x/24"], says: "without a port" },
  port: { texts: ["-1", "65536", "80.5", "http", "1e3", "0x50"], says: "a whole number from 0 to 65535" },
  allowOpen: { texts: ["yes", "1", "TRUE"], says: "expected true or false" },
  apiKey: { texts: ["short", "x".repeat(31), `a b${"x".repeat(40)}`, "é".repeat(40)], says: "expected 32 characters" },
  keysDir: { texts: [], says: "" },
  requestsPerKey: {
    texts: ["0", "-1", "1.5", "1000001", "many"],
    says: "a whole number from 1 to 1000000, or unlimited"
  },
  readOnly: { texts: ["yes"], says: "expected true or false" },
  environment: { texts: ["x".repeat(41), "a\nb"], says: "expected up to 40 characters" },
  allowedHosts: { texts: ["a b", "a,b:80", "https://a"], says: "is none" },
  store: { texts: ["disk", "File"], says: "expected file or memory or postgres" },
  databaseUrl: { texts: [], says: "" },
  databaseConnections: { texts: ["3", "1001", "all"], says: "a whole number from 4 to 1000" },
  lease: { texts: ["0 seconds", "999 millis", "never"], says: "expected a duration" },
  nodeName: { texts: [], says: "" },
  dataDir: { texts: [], says: "" },
  fsync: { texts: ["never", "100 millis"], says: "expected always or interval" },
  dumpInterval: { texts: ["0 seconds", "9 millis", "1s", "-1 seconds", "Infinity", "10"], says: "expected a duration" },
  journalMaxBytes: { texts: ["0", "1023", "2 TiB", "many", "-1", "1.5"], says: "a size from 1 KiB to 1 TiB" },
  maxPending: { texts: ["0", "10000001", "1 million"], says: "a whole number from 1 to 10000000" },
  maxBody: { texts: ["0", "2 GiB", "2 MB per request"], says: "a size from 1 KiB to 1 GiB" },
  runner: { texts: ["shell"], says: "expected simulated or command or http or module" },
  simulatedDuration: { texts: ["-1 seconds", "soon"], says: "expected a duration" },
  runnersFile: { texts: [], says: "" },
  command: { texts: [], says: "" },
  httpUrl: { texts: [], says: "" },
  httpSecret: { texts: [], says: "" },
  httpAllowPrivate: { texts: ["yes"], says: "expected true or false" },
  module: { texts: [], says: "" },
  moduleWorkers: { texts: ["0", "1001", "all"], says: "a whole number from 1 to 1000" },
  moduleMemory: { texts: ["15 MiB", "much"], says: "a size from 16 MiB to 1 TiB" },
  callbackUrl: { texts: [], says: "" },
  callbackSecret: { texts: [], says: "" },
  callbackAllowPrivate: { texts: ["yes"], says: "expected true or false" },
  concurrency: { texts: ["0", "10001", "64x"], says: "a whole number from 1 to 10000" },
  maxAttempts: { texts: ["0", "1001"], says: "a whole number from 1 to 1000" },
  taskTimeout: { texts: ["0 seconds", "forever", "Infinity", "4000 days"], says: "expected a duration" },
  onRestart: { texts: ["retry"], says: "expected resume or fail" },
  crashLimit: { texts: ["0", "21"], says: "a whole number from 1 to 20" },
  retention: { texts: ["0 seconds", "Forever", "Infinity", "4000 days", "unlimited"], says: ", or forever" },
  retentionFailed: { texts: ["0 seconds", "never"], says: ", or forever" },
  retentionCount: { texts: ["0", "-1", "Infinity", "forever", "100000001"], says: ", or unlimited" },
  shutdownGrace: { texts: ["-1 seconds", "10"], says: "expected a duration" },
  logLevel: { texts: ["verbose", "Info"], says: "expected trace or debug" },
  logFormat: { texts: ["text"], says: "expected pretty or json" },
  otlpEndpoint: {
    texts: ["localhost:4318", "grpc://a:4317", "http://u:p@a", "http://a?key=b", "here"],
    says: "expected a URL such as"
  },
  otlpProtocol: { texts: ["grpc"], says: "expected http/protobuf or http/json" },
  otlpHeaders: { texts: ["a", "=b", "a=%zz", "a=%0d%0ab", "a=%C3%A9", "a b=c"], says: "expected name=value" },
  serviceName: { texts: [], says: "" },
  resourceAttributes: { texts: ["a", "a=%00", "a=%"], says: "expected name=value" }
}

const keys = Record.keys(Table.table)

describe("settings", () => {
  it("are the defaults when nothing is said", () => {
    assert.deepStrictEqual(settings({}), {
      host: "127.0.0.1",
      port: 8000,
      allowOpen: false,
      requestsPerKey: Number.POSITIVE_INFINITY,
      readOnly: false,
      environment: "",
      allowedHosts: [],
      store: "file",
      databaseConnections: 10,
      lease: Duration.seconds(10),
      dataDir: "data/memory",
      fsync: "always",
      dumpInterval: Duration.seconds(1),
      journalMaxBytes: 67_108_864,
      maxPending: 1_000_000,
      maxBody: 2 * 1024 * 1024,
      runner: "simulated",
      simulatedDuration: Duration.seconds(2),
      httpAllowPrivate: false,
      moduleMemory: 256 * 1024 * 1024,
      callbackAllowPrivate: false,
      concurrency: 64,
      maxAttempts: 5,
      taskTimeout: Duration.minutes(15),
      onRestart: "resume",
      crashLimit: 3,
      retention: Duration.days(7),
      retentionCount: 1_000_000,
      shutdownGrace: Duration.seconds(10),
      logLevel: "info",
      otlpProtocol: "http/protobuf"
    })
  })

  it("agree with the engine about its defaults", () => {
    // these are for programs that embed the engine
    const { backoff: _, longestSleep: __, ...engine } = defaults
    assert.deepInclude(settings({}), engine)
  })

  it("are named after one key", () => {
    assert.strictEqual(Table.flag("journalMaxBytes"), "journal-max-bytes")
    assert.strictEqual(Table.variable("journalMaxBytes"), "VENOM_JOURNAL_MAX_BYTES")
  })

  it.each(keys.filter((key) => key !== "runner"))("%s: flag over environment over default", (key) => {
    const [one, other, beside = {}] = twoValues[key]
    const of = (flag: string | undefined, variable: string) => {
      const given = { ...beside, ...(flag === undefined ? {} : { [key]: flag }) }
      const value: unknown = settings(given, { [Table.variable(key)]: variable })[key]
      return Redacted.isRedacted(value) ? Redacted.value(value) : value
    }
    assert.notDeepEqual(of(undefined, one), of(undefined, other))
    assert.deepStrictEqual(of(one, other), of(undefined, one))
    assert.deepStrictEqual(of(other, one), of(undefined, other))
  })

  it("runner: flag over environment", () => {
    assert.strictEqual(settings({ runner: "simulated" }, { VENOM_RUNNER: "command" }).runner, "simulated")
    assert.strictEqual(settings({ command: "cat" }, { VENOM_RUNNER: "command" }).runner, "command")
  })

  it("take an empty variable as none, and an empty flag as wrong", () => {
    assert.strictEqual(settings({}, { VENOM_PORT: "" }).port, 8000)
    assert.deepStrictEqual(problems({ port: "" }), ['--port "": expected a whole number from 0 to 65535'])
    assert.deepStrictEqual(problems({ dataDir: "" }), ['--data-dir "": expected some text'])
  })

  it("understand what has no end", () => {
    assert.deepStrictEqual(settings({ retention: "forever" }).retention, Duration.infinity)
    assert.strictEqual(settings({ retentionCount: "unlimited" }).retentionCount, Infinity)
  })

  it("understand sizes and lists", () => {
    assert.strictEqual(settings({ maxBody: "1500 kB" }).maxBody, 1_500_000)
    assert.strictEqual(settings({ maxBody: "4096" }).maxBody, 4096)
    assert.deepStrictEqual(settings({ allowedHosts: " a.example,,b.example " }).allowedHosts, [
      "a.example",
      "b.example"
    ])
  })

  it.each(keys.flatMap((key) => refused[key].texts.map((text) => ({ key, text, says: refused[key].says }))))(
    "refuse $key $text in one line that names it",
    ({ key, says, text }) => {
      const [line = "", ...others] = problems({}, { [Table.variable(key)]: text })
      assert.deepStrictEqual(others, [])
      const row: Table.Row = Table.table[key]
      // a secret is not told to whoever reads the log
      const told = row.secret === true ? "" : ` ${JSON.stringify(text)}`
      assert.isTrue(line.startsWith(`${Table.variable(key)}${told}: `), line)
      assert.include(line, says)
      assert.notInclude(line, "\n")
    }
  )

  it("tell every problem at once", () => {
    assert.lengthOf(problems({ port: "x", store: "disk" }, { VENOM_CRASH_LIMIT: "0", VENOM_API_KEY: "k" }), 4)
  })
})

describe("settings that contradict each other", () => {
  it.each([
    ["VENOM_HTTP_SECRET", "VENOM_HTTP_URL"],
    ["VENOM_MODULE_WORKERS", "VENOM_MODULE"]
  ])("%s alone is about nothing", (given, about) => {
    assert.deepStrictEqual(problems({}, { [given]: "2" }), [`${given} is given without ${about}, which it is about`])
  })

  it("are refused: the command runner without a command", () => {
    assert.match(problems({ runner: "command" })[0] ?? "", /needs a command/)
  })

  it("are refused: a command for another runner", () => {
    assert.match(problems({}, { VENOM_COMMAND: "cat" })[0] ?? "", /the runner is simulated/)
  })

  it.each([
    ["http", "VENOM_HTTP_URL"],
    ["module", "VENOM_MODULE"]
  ])("are refused: the %s runner without what it needs, and that for another", (runner, variable) => {
    assert.include(problems({ runner })[0] ?? "", `the ${runner} runner needs`)
    assert.include(problems({ runner })[0] ?? "", variable)
    assert.include(problems({}, { [variable]: "x" })[0] ?? "", `use VENOM_RUNNER=${runner}`)
  })

  it("are refused: a file of runners and a runner, or a callback, besides", () => {
    assert.match(problems({ runnersFile: "x", runner: "command", command: "cat" })[0] ?? "", /use one of them/)
    const callback = { callbackUrl: "https://a.example", callbackSecret: "whsec_a" }
    assert.match(problems({ runnersFile: "x", ...callback })[0] ?? "", /belongs into the file/)
    assert.match(problems({ callbackUrl: "https://a.example" })[0] ?? "", /a URL and a secret/)
    assert.match(problems({ callbackSecret: "whsec_a" })[0] ?? "", /a URL and a secret/)
  })

  it.each(["0.0.0.0", "::", "192.168.1.5", "venom.example", "127.0.0.1.example"])(
    "are refused where nobody needs a key: listening on %s",
    (host) => {
      assert.match(Settings.whyNotOpen(settings({ host })) ?? "", /VENOM_ALLOW_OPEN=true/)
      assert.isUndefined(Settings.whyNotOpen(settings({ host }, { VENOM_ALLOW_OPEN: "true" })))
    }
  )

  it.each(["127.0.0.1", "127.8.9.1", "::1", "localhost"])("are not: listening on %s", (host) => {
    assert.strictEqual(settings({ host }).host, host)
  })

  it("are refused: the postgres store without a database, and a database for another", () => {
    assert.match(problems({ store: "postgres" })[0] ?? "", /needs a database: VENOM_DATABASE_URL/)
    assert.match(problems({}, { VENOM_DATABASE_URL: "postgres://a/b" })[0] ?? "", /use VENOM_STORE=postgres/)
  })

  it("are refused: what is no URL of a database, and it is not shown", () => {
    const [line = "", ...others] = problems({ store: "postgres" }, { VENOM_DATABASE_URL: "mysql://u:s3cret@a/b" })
    assert.deepStrictEqual(others, [])
    assert.include(line, "VENOM_DATABASE_URL: Expected a URL such as postgres://")
    assert.notInclude(line, "s3cret")
  })

  it.each(["a%zz:s3cret@b/c", "a:s3cret%@b/c", "a:s3cret@b/%ff"])(
    "are refused: a URL that cannot be read: %j",
    (rest) => {
      const told = problems({ store: "postgres" }, { VENOM_DATABASE_URL: `postgres://${rest}` })
      assert.deepStrictEqual(told, ["VENOM_DATABASE_URL: The URL cannot be read: a % in it must be written as %25"])
    }
  )

  it("are refused: syncing at intervals with the postgres store", () => {
    const given = { store: "postgres", fsync: "interval", databaseUrl: "postgres://a/b" }
    assert.match(problems(given)[0] ?? "", /synchronous_commit/)
  })

  it("are not: a data directory for the memory store", () => {
    assert.strictEqual(settings({ store: "memory", dataDir: "somewhere" }).store, "memory")
  })
})

describe("variables", () => {
  const environment = { VENOM_PROT: "1", VENOM_PORT: "1", VENOM_API_KEY: "", PATH: "/bin", venom_host: "x" }

  it("that no setting has are named", () => {
    assert.deepStrictEqual(Settings.unknownVariables({ flags: {}, environment }), ["VENOM_PROT"])
  })
})
