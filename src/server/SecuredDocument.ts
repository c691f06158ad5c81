import { Record } from "effect"
import { sessionCookie } from "./Access.ts"
import * as Routes from "./Routes.ts"

/** The parts of an OpenAPI document that keys have something to say about. */
interface Document {
  readonly components?: object
  readonly paths?: Readonly<Record<string, Readonly<Record<string, object>>>>
}

const schemes = {
  bearer: { type: "http", scheme: "bearer", description: "An API key: `Authorization: Bearer KEY`" },
  session: {
    type: "apiKey",
    in: "cookie",
    name: sessionCookie,
    description: "What a browser gets for a key by `POST /api/v1/session`. With it only pages of the service may write"
  }
} as const

/**
 * Says how one proves who asks, and the scope that each operation needs. Where a service has no keys nobody has to
 * prove anything; the document is the same.
 */
export const withKeys = <A extends Document>(document: A): A => ({
  ...document,
  components: { ...document.components, securitySchemes: schemes },
  paths: Record.map(document.paths ?? {}, (operations, path) =>
    Record.map(operations, (operation, method) => {
      const needed = Routes.needed(method.toUpperCase(), path)
      return { ...operation, security: needed === "none" ? [] : [{ bearer: [needed] }, { session: [needed] }] }
    })
  )
})
