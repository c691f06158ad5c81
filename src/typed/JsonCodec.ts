import { Effect, type JsonSchema, Schema, type SchemaRepresentation } from "effect"
import * as InputIssues from "../domain/InputIssues.ts"

/** Values of a schema as JSON, such as stands in `content`, in `result` and in the data of a failure. */
export interface JsonCodec<A> {
  readonly toText: (value: A) => Effect.Effect<string, Issues>
  /** What the schema does not know is passed over. */
  readonly fromText: (text: string) => Effect.Effect<A, Issues>
  /** What the schema does not know is an issue. */
  readonly fromTextStrictly: (text: string) => Effect.Effect<A, Issues>
  readonly toJson: (value: A) => Effect.Effect<Schema.Json, Issues>
  readonly fromJson: (json: Schema.Json) => Effect.Effect<A, Issues>
  /** Each of its definitions has a name that begins with that of the values. */
  readonly schema: JsonSchema.Document<"draft-2020-12">
}

/** With paths from the value on. */
export type Issues = ReadonlyArray<InputIssues.InputIssue>

/** In a longer text the first issue is told alone: finding all of them would keep others waiting. */
const longest = 65_536

/** Issues that are told. */
const most = 100

const all = { errors: "all" } as const
const strict = { onExcessProperty: "error" } as const

/** Every schema has a form in JSON: the one of `Schema.toCodecJson`. `name` is what its values are called. */
export const make = <A>(name: string, schema: Schema.Codec<A, unknown>): JsonCodec<A> => {
  const json = Schema.toCodecJson(schema)
  const text = Schema.fromJsonString(json)
  const toText = Schema.encodeEffect(text, all)
  const toJson = Schema.encodeEffect(json, all)
  const fromText = Schema.decodeUnknownEffect(text, all)
  const fromJson = Schema.decodeUnknownEffect(json, all)
  const fromTextStrictly = Schema.decodeUnknownEffect(text, { ...all, ...strict })
  const fromLongText = Schema.decodeUnknownEffect(text, strict)
  return {
    toText: (value) => told(toText(value)),
    fromText: (input) => told(fromText(input)),
    fromTextStrictly: (input) => told(input.length > longest ? fromLongText(input) : fromTextStrictly(input)),
    toJson: (value) => told(toJson(value)),
    fromJson: (input) => told(fromJson(input)),
    schema: Schema.toJsonSchemaDocument(schema, { referencePolicy: namedAfter(name), ...strict })
  }
}

const told = <A>(reading: Effect.Effect<A, Schema.SchemaError>): Effect.Effect<A, Issues> =>
  reading.pipe(
    Effect.mapError((error) => InputIssues.inBody(error).slice(0, most)),
    // of a schema that stands in itself
    Effect.catchDefect((defect) =>
      defect instanceof RangeError ? Effect.fail([{ path: "", message: "Nested too deeply" }]) : Effect.die(defect)
    )
  )

/** Schemas of several types stand in one document: none of their definitions may have the name of another. */
const namedAfter = (name: string): SchemaRepresentation.ReferencePolicy => {
  const numbers = new Map<unknown, number>()
  return ({ ast, identifier, occurrences }) => {
    if (identifier !== undefined) return `${name}.${identifier}`
    // what stands in itself needs a name
    if (occurrences < 2 || !["Objects", "Arrays", "Union"].includes(ast._tag)) return undefined
    const number = numbers.get(ast) ?? numbers.size + 1
    numbers.set(ast, number)
    return `${name}.${number}`
  }
}
