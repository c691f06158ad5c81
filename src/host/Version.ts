import { createRequire } from "node:module"
import { Schema } from "effect"

/** By its own name the package finds its `package.json`, in the sources and in what is published. */
const description: unknown = createRequire(import.meta.url)("venom/package.json")

export const { version } = Schema.decodeUnknownSync(Schema.Struct({ version: Schema.String }))(description)
