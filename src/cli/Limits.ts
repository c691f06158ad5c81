import { Console, Effect, Option, Result, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import * as Flow from "../domain/Flow.ts"
import { TaskType } from "../domain/Task.ts"
import * as Input from "./Input.ts"
import * as Service from "./Service.ts"
import type { Column } from "./Table.ts"
import * as Trouble from "./Trouble.ts"

const toJson = Schema.encodeSync(Flow.Limits)
type Wire = typeof Flow.Limits.Encoded

const decode = Schema.decodeUnknownResult(Flow.Limits, { errors: "all", onExcessProperty: "error" })
const read = Input.json(decode)

interface Row {
  readonly of: "queue" | "type" | "key" | "each_key"
  readonly name: string
  readonly concurrency: number | undefined
  readonly rate: Flow.Rate | undefined
}

const rowsOf = ({ concurrency, eachKey, keys, types }: Flow.Limits): ReadonlyArray<Row> => [
  ...(concurrency === undefined ? [] : [{ of: "queue", name: "", concurrency, rate: undefined } as const]),
  ...Object.entries(types).map(([name, { concurrency, rate }]) => ({ of: "type", name, concurrency, rate }) as const),
  ...(eachKey === undefined ? [] : [{ of: "each_key", name: "", concurrency: eachKey, rate: undefined } as const]),
  ...Object.entries(keys).map(([name, { concurrency }]) => ({ of: "key", name, concurrency, rate: undefined }) as const)
]

const rateText = ({ limit, per }: Flow.Rate) => `${limit} per ${typeof per === "number" ? `${per} millis` : per}`

const columns: ReadonlyArray<Column<Row>> = [
  { title: "OF", cell: ({ of }) => ({ text: of }) },
  { title: "NAME", cell: ({ name }) => ({ text: name, look: "bold" }) },
  { title: "CONCURRENCY", cell: ({ concurrency }) => ({ text: String(concurrency ?? "") }) },
  { title: "RATE", cell: ({ rate }) => ({ text: rate === undefined ? "" : rateText(rate) }) }
]

const tell = Effect.fnUntraced(function* (screen: Service.Screen, limits: Flow.Limits) {
  const rows = rowsOf(limits)
  yield* screen.tell(toJson(limits), () => (rows.length === 0 ? [] : screen.table(columns, rows)))
  if (rows.length === 0 && screen.isTerminal && !screen.asJson) yield* Console.error("There is no limit")
})

const lifted = "none"

/** A number, or nothing where the limit is lifted; what is neither is left for the schema to refuse. */
const numberOf = (text: string): unknown => (text === lifted ? undefined : /^\d+$/.test(text) ? Number(text) : text)

const rateOf = (text: string): unknown => {
  const [, limit, per] = /^\s*(\d+)\s+per\s+(.+?)\s*$/.exec(text) ?? []
  return text === lifted ? undefined : limit === undefined ? text : { limit: Number(limit), per }
}

interface Change {
  readonly type: Option.Option<string>
  readonly key: Option.Option<string>
  readonly eachKey: boolean
  readonly concurrency: Option.Option<string>
  readonly rate: Option.Option<string>
}

const without = (record: Readonly<Record<string, unknown>>, name: string) =>
  Object.fromEntries(Object.entries(record).filter(([one]) => one !== name))

/** With one field in place of what it was; gone where there is nothing to put there. */
const put = (record: Readonly<Record<string, unknown>>, name: string, value: unknown) =>
  value === undefined ? without(record, name) : { ...record, [name]: value }

/** An entry that says nothing is none. */
const putEntry = (record: Readonly<Record<string, unknown>>, name: string, entry: Readonly<Record<string, unknown>>) =>
  put(record, name, Object.keys(entry).length === 0 ? undefined : entry)

const changed = (limits: Wire, { concurrency, eachKey, key, rate, type }: Change): unknown => {
  const withConcurrency = (record: Readonly<Record<string, unknown>>, name = "concurrency") =>
    Option.match(concurrency, { onNone: () => record, onSome: (text) => put(record, name, numberOf(text)) })
  if (Option.isSome(type)) {
    const entry = withConcurrency(limits.types?.[type.value] ?? {})
    const both = Option.match(rate, { onNone: () => entry, onSome: (text) => put(entry, "rate", rateOf(text)) })
    return { ...limits, types: putEntry(limits.types ?? {}, type.value, both) }
  }
  if (Option.isSome(key)) {
    const entry = withConcurrency(limits.keys?.[key.value] ?? {})
    return { ...limits, keys: putEntry(limits.keys ?? {}, key.value, entry) }
  }
  return withConcurrency({ ...limits }, eachKey ? "each_key" : "concurrency")
}

/** What is wrong with what was asked for, before the service is. */
const objection = ({ concurrency, eachKey, key, rate, type }: Change): string | undefined => {
  if ([Option.isSome(type), Option.isSome(key), eachKey].filter(Boolean).length > 1) {
    return "Say one of --type, --key and --each-key, or none of them for the whole queue"
  }
  if (Option.isSome(rate) && Option.isNone(type)) return "A rate is of a type: say --type"
  if (Option.isSome(rate) && typeof rateOf(rate.value) === "string") {
    return `Say a rate as "100 per 1 minute", or ${lifted} to lift it`
  }
  return Option.isNone(concurrency) && Option.isNone(rate)
    ? "Say the limit: --concurrency or --rate, or all limits with --file"
    : undefined
}

const set = Command.make(
  "set",
  {
    ...Service.flags,
    type: Flag.String("type").pipe(
      Flag.withAlias("t"),
      Flag.withDescription("The limits of this type"),
      Flag.withSchema(TaskType),
      Flag.optional
    ),
    key: Flag.String("key").pipe(Flag.withDescription("The limit of this concurrency key"), Flag.optional),
    eachKey: Flag.Boolean("each-key").pipe(
      Flag.withDescription("The limit of each concurrency key that has none of its own"),
      Flag.withDefault(false)
    ),
    concurrency: Flag.String("concurrency").pipe(
      Flag.withAlias("c"),
      Flag.withMetavar(`<n|${lifted}>`),
      Flag.withDescription(`Attempts that run at once; ${lifted} lifts the limit`),
      Flag.optional
    ),
    rate: Flag.String("rate").pipe(
      Flag.withMetavar(`<n per duration|${lifted}>`),
      Flag.withDescription(
        `Attempts of a type that begin within a time: "100 per 1 minute"; ${lifted} lifts the limit`
      ),
      Flag.optional
    ),
    file: Flag.String("file").pipe(
      Flag.withAlias("f"),
      Flag.withMetavar("<file>"),
      Flag.withDescription("All limits in JSON, as in the HTTP API, in place of those until now; - reads stdin"),
      Flag.optional
    )
  },
  (given) =>
    Service.use(
      given,
      Effect.fnUntraced(function* (client, screen) {
        const refused = (lines: ReadonlyArray<string>) => Trouble.ended("usage", ...lines)
        if (Option.isSome(given.file)) {
          if (given.eachKey || [given.type, given.key, given.concurrency, given.rate].some(Option.isSome)) {
            return yield* refused(["With --file, the file says all: leave out the rest"])
          }
          const text = yield* given.file.value === "-" ? Input.standard : Input.file(given.file.value)
          const payload = yield* Effect.fromResult(Result.mapError(read(text), refused))
          return yield* tell(screen, yield* client.queue.setLimits({ payload }))
        }
        const wrong = objection(given)
        if (wrong !== undefined) return yield* refused([wrong])
        const limits = yield* client.queue.limits()
        const payload = yield* Effect.fromResult(decode(changed(toJson(limits), given)))
        yield* tell(screen, yield* client.queue.setLimits({ payload }))
      })
    )
).pipe(
  Command.withDescription("Sets a limit of the queue, a type or a key, and leaves the others as they are; or all"),
  Command.withExamples([
    { command: "venom limits set --concurrency 100", description: "Attempts of all types at once" },
    { command: `venom limits set --type email -c 10 --rate "100 per 1 minute"`, description: "Of one type" },
    { command: "venom limits set --each-key -c 1", description: "Of each concurrency key" },
    { command: "venom limits set --type email --rate none", description: "Lifts a limit" }
  ])
)

/** `venom limits`: what may run at once, and how often. */
export const command = Command.make("limits", Service.flags, (given) =>
  Service.use(given, (client, screen) => Effect.flatMap(client.queue.limits(), (limits) => tell(screen, limits)))
).pipe(
  Command.withDescription("Shows the limits of the queue, of types and of keys, or sets them"),
  Command.withSubcommands([set])
)
