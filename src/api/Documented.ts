import { Context } from "effect"
import type { Scope } from "../domain/ApiKey.ts"

/** The media type that an endpoint answers with. */
export const Produces: Context.Reference<string> = Context.Reference("venom/api/Produces", {
  defaultValue: () => "application/json"
})

/** What an endpoint needs: a key that allows so much, or none. By default `read` for a GET, `write` for all else. */
export const Needed: Context.Reference<Scope | "none" | undefined> = Context.Reference<Scope | "none" | undefined>(
  "venom/api/Needed",
  {
    defaultValue: () => undefined
  }
)

/** The part of an OpenAPI operation that is touched up here. */
interface Operation {
  readonly parameters?: ReadonlyArray<Parameter>
  readonly responses?: Readonly<Record<string, unknown>>
  readonly requestBody?: object
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

/** No body at all will do too. */
export const optionalBody = <A extends Operation>(operation: A): A => ({
  ...operation,
  requestBody: { ...operation.requestBody, required: false }
})

/** An answer without a body, which the schemas of an endpoint do not know. */
export const answers =
  (status: number, description: string) =>
  <A extends Operation>(operation: A): A => ({
    ...operation,
    responses: { ...operation.responses, [status]: { description } }
  })

/** An answer that is text of a media type, whatever its schema says. */
export const text =
  (status: number, type: string, description: string) =>
  <A extends Operation>(operation: A): A => ({
    ...operation,
    responses: {
      ...operation.responses,
      [status]: { description, content: { [type]: { schema: { type: "string" } } } }
    }
  })
