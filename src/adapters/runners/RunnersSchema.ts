import { ByteSize, Option, Schema, SchemaParser } from "effect"
import * as Span from "../../domain/Span.ts"
import { TaskType } from "../../domain/Task.ts"

/** A text, or the name of the variable of the service's environment that has it: for secrets. */
const Text = Schema.Union([Schema.String, Schema.Struct({ variable: Schema.String })]).annotate({
  expected: 'a text, or {"variable": "NAME"}'
})
export type Text = typeof Text.Type

const TargetEntry = {
  url: Schema.String,
  secret: Schema.optionalKey(Schema.Union([Text, Schema.Array(Text)])),
  headers: Schema.optionalKey(Schema.Record(Schema.String, Text)),
  allow_private: Schema.optionalKey(Schema.Boolean)
}
export const CallbackEntry = Schema.Struct(TargetEntry)

const common = {
  timeout: Schema.optionalKey(Span.between("1 millis", "365 days")),
  concurrency: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 }))),
  callback: Schema.optionalKey(Schema.Union([Schema.Literal(false), CallbackEntry]))
}

const variables = {
  environment: Schema.optionalKey(Schema.Record(Schema.String, Text)),
  inherit: Schema.optionalKey(
    Schema.Union([Schema.Literal("all"), Schema.Array(Schema.String)]).annotate({
      expected: '"all" or names of variables'
    })
  )
}

export const CommandEntry = Schema.Struct({
  runner: Schema.Literal("command"),
  command: Schema.Union([Schema.String, Schema.NonEmptyArray(Schema.String)]).annotate({
    expected: "a command line, or a program and its arguments"
  }),
  directory: Schema.optionalKey(Schema.String),
  ...variables,
  ...common
})
const HttpEntry = Schema.Struct({ runner: Schema.Literal("http"), ...TargetEntry, ...common })
const ModuleEntry = Schema.Struct({
  runner: Schema.Literal("module"),
  module: Schema.String,
  memory: Schema.optionalKey(
    Schema.String.check(
      Schema.makeFilter<string>((text) => (bytesOf(text) >= 2 ** 24 ? undefined : 'expected a size such as "256 MiB"'))
    )
  ),
  ...variables,
  ...common
})
const SimulatedEntry = Schema.Struct({
  runner: Schema.Literal("simulated"),
  duration: Schema.optionalKey(Span.between("0 millis")),
  ...common
})

const Entry = Schema.Union([CommandEntry, HttpEntry, ModuleEntry, SimulatedEntry]).annotate({
  expected: 'an object with a "runner": command, http, module or simulated'
})
export type Entry = typeof Entry.Type

const isType = Schema.is(TaskType)
const namesTypes = Schema.makeFilter<Readonly<Record<string, unknown>>>((types) => {
  const wrong = Object.keys(types).find((type) => !isType(type))
  return wrong === undefined ? undefined : `no task can have the type ${JSON.stringify(wrong)}`
})

export const File = Schema.Struct({
  types: Schema.optionalKey(Schema.Record(Schema.String, Entry).check(namesTypes)),
  others: Schema.optionalKey(Entry),
  callback: Schema.optionalKey(CallbackEntry)
})

export const bytesOf = (text: string): number =>
  Option.getOrElse(Option.flatMap(ByteSize.fromString(text), ByteSize.toNumber), () => Number.NaN)

export const decode = SchemaParser.decodeUnknownResult(File, { errors: "all", onExcessProperty: "error" })
