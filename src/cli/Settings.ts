import { Record, Result, Schema, SchemaIssue, SchemaParser, Struct } from "effect"
import { isLoopback } from "../api/Loopback.ts"
import * as Table from "./SettingsTable.ts"

interface SchemaOf extends Struct.Lambda {
  <R extends Table.Row>(row: R): R["schema"]
  readonly "~lambda.out": this["~lambda.in"] extends Table.Row ? this["~lambda.in"]["schema"] : never
}

const Settings = Schema.Struct(
  Struct.map(
    Table.table,
    Struct.lambda<SchemaOf>((row) => row.schema)
  )
)
export type Settings = typeof Settings.Type

/** What is wrong with the settings: one line each. */
export class SettingsError extends Schema.TaggedError<SettingsError>()("SettingsError", {
  problems: Schema.Array(Schema.String)
}) {
  override get message() {
    return this.problems.join("\n")
  }
}

export interface Given {
  /** By key, as written. */
  readonly flags: Readonly<Record<string, string>>
  readonly environment: Readonly<Record<string, string | undefined>>
}

const keys = Record.keys(Table.table)

/** Variables that no setting has: mistyped, most likely. */
export const unknownVariables = ({ environment }: Given): ReadonlyArray<string> => {
  const known = [...Table.ofClients, ...keys.map(Table.variable)]
  return Object.keys(environment).filter((name) => name.startsWith("VENOM_") && !known.includes(name))
}

/** Where a setting stands and what it says: flag over environment over default; an empty variable is none. */
const written = ({ environment, flags }: Given, key: Table.Key) => {
  const flagged = flags[key]
  if (flagged !== undefined) return [{ key, name: `--${Table.flag(key)}`, text: flagged }]
  const name = Table.variable(key)
  const set = environment[name]
  if (set !== undefined && set !== "") return [{ key, name, text: set }]
  const row: Table.Row = Table.table[key]
  return row.default === undefined ? [] : [{ key, name, text: row.default }]
}

/** What each runner needs, and is for it alone. */
const needs = [
  { runner: "command", key: "command", what: "a command" },
  { runner: "http", key: "httpUrl", what: "a URL" },
  { runner: "module", key: "module", what: "a module" }
] as const

const ofRunner = (settings: Settings): ReadonlyArray<string> =>
  needs.flatMap(({ key, runner, what }) => {
    const isGiven = settings[key] !== undefined
    if (settings.runner === runner && !isGiven) {
      return [`the ${runner} runner needs ${what}: ${Table.variable(key)} or --${Table.flag(key)}`]
    }
    return settings.runner !== runner && isGiven
      ? [`${what} is given, but the runner is ${settings.runner}: use VENOM_RUNNER=${runner} or --runner ${runner}`]
      : []
  })

/** What says something of another setting alone. */
const belongs = [
  { key: "httpSecret", to: "httpUrl" },
  { key: "moduleWorkers", to: "module" }
] as const

const ofNothing = (settings: Settings): ReadonlyArray<string> =>
  belongs.flatMap(({ key, to }) =>
    settings[key] !== undefined && settings[to] === undefined
      ? [`${Table.variable(key)} is given without ${Table.variable(to)}, which it is about`]
      : []
  )

const isDatabase = (url: string): boolean => {
  const { protocol } = URL.parse(url) ?? {}
  return protocol === "postgres:" || protocol === "postgresql:"
}

/** Whether what is written with % in it stands for a text. */
const isReadable = (url: string): boolean => {
  const { password = "", pathname = "", username = "" } = URL.parse(url) ?? {}
  try {
    return [username, password, pathname].map(decodeURIComponent).length > 0
  } catch {
    return false
  }
}

/** Why a URL is none of a database; what it says may be secret, and is not told again. */
const unfit = (url: string): ReadonlyArray<string> => {
  if (!isDatabase(url)) return ["Expected a URL such as postgres://user:password@host:5432/database"]
  return isReadable(url) ? [] : ["The URL cannot be read: a % in it must be written as %25"]
}

const ofStore = ({ databaseUrl, fsync, store }: Settings): ReadonlyArray<string> => {
  const name = Table.variable("databaseUrl")
  if (store !== "postgres") {
    return databaseUrl === undefined
      ? []
      : [`a database is given, but the store is ${store}: use VENOM_STORE=postgres or --store postgres`]
  }
  return [
    ...(databaseUrl === undefined ? [`the postgres store needs a database: ${name} or --database-url`] : []),
    ...(databaseUrl === undefined ? [] : unfit(databaseUrl).map((reason) => `${name}: ${reason}`)),
    ...(fsync === "interval"
      ? ["syncing at intervals is for the file store: PostgreSQL has synchronous_commit for that"]
      : [])
  ]
}

/** Settings that are right alone and wrong together. */
const contradictions = (settings: Settings): ReadonlyArray<string> => [
  ...ofStore(settings),
  ...ofRunner(settings),
  ...ofNothing(settings),
  ...(settings.runnersFile !== undefined && settings.runner !== "simulated"
    ? [`a file of runners is given, and the runner ${settings.runner} besides: use one of them`]
    : []),
  ...(settings.callbackUrl !== undefined && settings.runnersFile !== undefined
    ? ["a callback is given beside a file of runners: it belongs into the file"]
    : []),
  ...((settings.callbackUrl === undefined) !== (settings.callbackSecret === undefined)
    ? ["callbacks need a URL and a secret: VENOM_CALLBACK_URL and VENOM_CALLBACK_SECRET"]
    : [])
]

/** Why it may not serve where nobody needs a key. */
export const whyNotOpen = ({ allowOpen, host }: Settings): string | undefined =>
  isLoopback(host) || allowOpen
    ? undefined
    : `listening on ${host} would serve everyone who can reach it, and nobody needs a key: make one with ` +
      "'venom keys create' or VENOM_API_KEY, or, if it is wanted so, set VENOM_ALLOW_OPEN=true or --allow-open"

const decode = SchemaParser.decodeUnknownResult(Settings, { errors: "all" })
const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

/** Every setting, checked, or every problem there is. */
export const resolve = (given: Given): Result.Result<Settings, SettingsError> => {
  const texts = keys.flatMap((key) => written(given, key))
  const decoded = Result.mapError(decode(Object.fromEntries(texts.map(({ key, text }) => [key, text]))), (issue) =>
    issuesOf(issue).issues.map(({ message, path }) => {
      const at = texts.find(({ key }) => key === path?.[0])
      if (at === undefined) return message
      const row: Table.Row = Table.table[at.key]
      return `${at.name}${row.secret === true ? "" : ` ${JSON.stringify(at.text)}`}: ${message}`
    })
  )
  const problems = Result.match(decoded, { onFailure: (wrong) => wrong, onSuccess: contradictions })
  return problems.length > 0 || Result.isFailure(decoded)
    ? Result.fail(new SettingsError({ problems }))
    : Result.succeed(decoded.success)
}
