import { ByteSize, Option, Schema } from "effect"
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

/** Entries are read one by one, so that what is wrong with one does not hide what is wrong with the next. */
const File = Schema.Struct({
  types: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown)),
  others: Schema.optionalKey(Schema.Unknown),
  callback: Schema.optionalKey(Schema.Unknown)
})

export const bytesOf = (text: string): number =>
  Option.getOrElse(Option.flatMap(ByteSize.fromString(text), ByteSize.toNumber), () => Number.NaN)

const strictly = { errors: "all", onExcessProperty: "error" } as const

export const decodeFile = Schema.decodeUnknownResult(File, strictly)
/** As far as it is one. */
export const decodeFileLoosely = Schema.decodeUnknownOption(File)
export const decodeEntry = Schema.decodeUnknownResult(Entry, strictly)
export const decodeCallback = Schema.decodeUnknownResult(CallbackEntry, strictly)
export const isType = Schema.is(TaskType)
