import { Schema, SchemaAST, SchemaIssue } from "effect"

/** One thing that is wrong with a request. */
export const InputIssue = Schema.Struct({
  path: Schema.String.annotate({
    description: "The field or parameter, such as content or tags[0]; empty for the body as a whole"
  }),
  message: Schema.String
}).annotate({ identifier: "InputIssue" })
export type InputIssue = typeof InputIssue.Type

const formatter = (noun: "field" | "parameter") =>
  SchemaIssue.makeFormatterStandardSchemaV1({
    leafHook: (issue) =>
      issue._tag === "MissingKey"
        ? "Missing"
        : issue._tag === "UnexpectedKey"
          ? `Unknown ${noun}`
          : issue._tag === "InvalidType"
            ? (expectedObject(issue.ast) ?? SchemaIssue.defaultLeafHook(issue))
            : SchemaIssue.defaultLeafHook(issue)
  })

/** Who sends no object is told what stands in one: the name of its schema says nothing to them. */
const expectedObject = (ast: SchemaAST.AST): string | undefined => {
  const encoded = SchemaAST.toEncoded(ast)
  if (!SchemaAST.isObjects(encoded)) return undefined
  const needed = encoded.propertySignatures
    .filter(({ type }) => !SchemaAST.isOptional(type))
    .map(({ name }) => String(name))
  return needed.length === 0 ? "Expected an object" : `Expected an object with ${needed.join(", ")}`
}

const ofFields = formatter("field")
const ofParameters = formatter("parameter")

/** Every issue of a body, each with the field that it is about. */
export const inBody = (error: Schema.SchemaError) => told(ofFields(error.issue).issues)

/** Every issue of a path, a query or headers, each with the parameter that it is about. */
export const inParameters = (error: Schema.SchemaError) => told(ofParameters(error.issue).issues)

type Issues = ReturnType<typeof ofFields>["issues"]

const told = (issues: Issues): ReadonlyArray<InputIssue> =>
  issues.map(({ message, path = [] }) => ({ path: pathText(path), message }))

/** `tags[0]` for `["tags", 0]`. */
const pathText = (path: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }>): string =>
  path.reduce<string>((text, segment) => {
    const key = typeof segment === "object" ? segment.key : segment
    return typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${String(key)}`
  }, "")

/** The path of something within a place: `tasks[3].content` for `content` in `tasks[3]`. */
export const within = (place: string, path: string): string =>
  path === "" || path.startsWith("[") ? `${place}${path}` : `${place}.${path}`

/** The first few issues in a sentence. */
export const summary = (issues: ReadonlyArray<InputIssue>): string => {
  const told = issues.slice(0, 3).map(({ message, path }) => (path === "" ? message : `${path}: ${message}`))
  return issues.length <= told.length ? told.join("; ") : `${told.join("; ")}; and ${issues.length - told.length} more`
}
