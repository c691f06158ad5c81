import { JsonSchema } from "effect"
import type { RegisteredType } from "../ports/RegisteredTypes.ts"

/** The parts of an OpenAPI document that registered types have something to say about. */
interface Document {
  readonly components?: { readonly schemas?: Readonly<Record<string, object>> }
}

/** Requests that may be of a registered type. */
const requests = ["TaskRequest", "TaskCopyRequest", "TaskTemplate"]

/**
 * Puts registered types into the OpenAPI document: the schemas of their values under `NAME.payload`, `NAME.success`
 * and `NAME.failure`, and in each request what its content is then.
 */
export const withTypes =
  (types: ReadonlyArray<RegisteredType>) =>
  <A extends Document>(document: A): A => {
    if (types.length === 0) return document
    const { definitions, schemas } = JsonSchema.toMultiDocumentOpenApi3_1({
      dialect: "draft-2020-12",
      // where the payloads are found: a name need not be one that OpenAPI allows
      schemas: [{}, ...types.map(({ name }) => ({ $ref: `#/$defs/${pointer(`${name}.payload`)}` }))],
      definitions: Object.assign({}, ...types.map(definitionsOf))
    })
    const perType = types.map(({ name }, index) => ({
      anyOf: [
        { properties: { type: { not: { const: name } } } },
        { properties: { content: { contentMediaType: "application/json", contentSchema: schemas[index + 1] } } }
      ]
    }))
    const known = document.components?.schemas ?? {}
    const typed = Object.fromEntries(
      requests.flatMap((name) => (known[name] === undefined ? [] : [[name, { ...known[name], allOf: perType }]]))
    )
    return { ...document, components: { ...document.components, schemas: { ...known, ...definitions, ...typed } } }
  }

const definitionsOf = ({ failure, name, payload, success }: RegisteredType): JsonSchema.Definitions => ({
  ...payload.definitions,
  ...success.definitions,
  ...failure.definitions,
  [`${name}.payload`]: payload.schema,
  [`${name}.success`]: success.schema,
  [`${name}.failure`]: failure.schema
})

/** A name in a JSON pointer in a URI. */
const pointer = (name: string): string => encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"))
