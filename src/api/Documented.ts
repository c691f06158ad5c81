/** The part of an OpenAPI operation that is touched up here. */
interface Operation {
  readonly parameters?: ReadonlyArray<Parameter>
  readonly responses?: Readonly<Record<string, unknown>>
}

interface Parameter {
  readonly name?: string
  readonly description?: string
  readonly schema?: { readonly description?: string }
}

/** Descriptions stand at the parameter, where tools look for them; `known` schemas replace what a string can say. */
export const parameters =
  (known: Readonly<Record<string, Parameter["schema"]>> = {}) =>
  <A extends Operation>(operation: A): A => ({
    ...operation,
    parameters: (operation.parameters ?? []).map((parameter) => {
      const schema = known[parameter.name ?? ""] ?? parameter.schema
      const description = parameter.description ?? schema?.description
      return { ...parameter, ...(description === undefined ? {} : { description }), schema }
    })
  })

/** An answer without a body, which the schemas of an endpoint do not know. */
export const answers =
  (status: number, description: string) =>
  <A extends Operation>(operation: A): A => ({
    ...operation,
    responses: { ...operation.responses, [status]: { description } }
  })

/** An answer that is text, whatever its schema says. */
export const text =
  (status: number, type: string, description: string) =>
  <A extends Operation>(operation: A): A => ({
    ...operation,
    responses: {
      ...operation.responses,
      [status]: { description, content: { [type]: { schema: { type: "string" } } } }
    }
  })
