/** As much of JSON Schema (2020-12) as a form can be made of. */
export interface JsonSchema {
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, JsonSchema>>
  readonly type?: string | ReadonlyArray<string>
  readonly title?: string
  readonly description?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly const?: unknown
  readonly anyOf?: ReadonlyArray<JsonSchema>
  readonly allOf?: ReadonlyArray<JsonSchema>
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: ReadonlyArray<string>
  readonly items?: JsonSchema | boolean
  readonly prefixItems?: ReadonlyArray<JsonSchema>
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly format?: string
  readonly default?: unknown
}

/** How a value of a schema is asked for. */
export type Field =
  | { readonly _tag: "Text"; readonly isLong: boolean }
  | { readonly _tag: "Number"; readonly isWhole: boolean }
  | { readonly _tag: "Flag" }
  | { readonly _tag: "Choice"; readonly values: ReadonlyArray<unknown> }
  | { readonly _tag: "Group"; readonly fields: ReadonlyArray<readonly [name: string, JsonSchema, isNeeded: boolean]> }
  | { readonly _tag: "List"; readonly items: JsonSchema }
  /** Anything else is written as JSON. */
  | { readonly _tag: "Json" }

/** The schema that a reference within the document stands for. */
export const resolved = (schema: JsonSchema, root: JsonSchema): JsonSchema => {
  let found = schema
  for (let hops = 0; found.$ref !== undefined && hops < 20; hops++) {
    const name = /^#\/\$defs\/(.+)$/.exec(found.$ref)?.[1]
    const target = name === undefined ? undefined : root.$defs?.[unescaped(name)]
    if (target === undefined) return {}
    found = target
  }
  const [only] = found.allOf ?? []
  return only !== undefined && found.allOf?.length === 1 ? { ...resolved(only, root), ...found } : found
}

const unescaped = (name: string): string => decodeURIComponent(name).replaceAll("~1", "/").replaceAll("~0", "~")

const isConstant = (schema: JsonSchema): boolean => "const" in schema || schema.enum?.length === 1

const constant = (schema: JsonSchema): unknown => ("const" in schema ? schema.const : schema.enum?.[0])

export const fieldOf = (schema: JsonSchema, root: JsonSchema): Field => {
  const given = resolved(schema, root)
  if ("const" in given) return { _tag: "Choice", values: [given.const] }
  if (given.enum !== undefined) return { _tag: "Choice", values: given.enum }
  if (given.anyOf !== undefined) {
    const options = given.anyOf.map((option) => resolved(option, root))
    return options.every(isConstant) ? { _tag: "Choice", values: options.map(constant) } : { _tag: "Json" }
  }
  switch (given.type) {
    case "string":
      return { _tag: "Text", isLong: given.format === undefined && (given.maxLength ?? 1000) > 200 }
    case "number":
    case "integer":
      return { _tag: "Number", isWhole: given.type === "integer" }
    case "boolean":
      return { _tag: "Flag" }
    case "object": {
      const { properties, required = [] } = given
      if (properties === undefined || Object.keys(properties).length === 0) return { _tag: "Json" }
      return {
        _tag: "Group",
        fields: Object.entries(properties).map(([name, property]) => [name, property, required.includes(name)])
      }
    }
    case "array":
      return typeof given.items === "object" && given.prefixItems === undefined
        ? { _tag: "List", items: given.items }
        : { _tag: "Json" }
    default:
      return { _tag: "Json" }
  }
}

/** What a form begins with. Schemas may be within themselves: deeper down it is left open. */
export const blank = (schema: JsonSchema, root: JsonSchema, depth = 0): unknown => {
  const given = resolved(schema, root)
  if (given.default !== undefined) return given.default
  const field = fieldOf(given, root)
  switch (field._tag) {
    case "Text":
      return ""
    case "Flag":
      return false
    case "Choice":
      return field.values[0]
    case "List":
      return []
    case "Group":
      return depth > 6
        ? undefined
        : Object.fromEntries(
            field.fields.flatMap(([name, property, isNeeded]) =>
              isNeeded ? [[name, blank(property, root, depth + 1)]] : []
            )
          )
    case "Number":
    case "Json":
      return undefined
  }
}
