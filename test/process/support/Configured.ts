import { createHmac } from "node:crypto"
import { join } from "node:path"
import { Effect } from "effect"
import { makeDirectory, write } from "./Files.ts"
import { directory } from "./Service.ts"

/** A directory with files in it, and one of them says what runs what. */
export const configured = Effect.fnUntraced(function* (runners: unknown, files: Readonly<Record<string, string>> = {}) {
  const place = yield* directory
  for (const [name, text] of Object.entries(files)) yield* write(join(place, name), text)
  const path = join(place, "runners.json")
  yield* write(path, JSON.stringify(runners))
  const data = join(place, "data")
  yield* makeDirectory(data)
  return { place, path, data }
})

const key = Buffer.alloc(32, 9)
export const secret = `whsec_${key.toString("base64")}`
export const signatureOf = (id: unknown, timestamp: unknown, body: string) =>
  `v1,${createHmac("sha256", key)
    .update(`${String(id)}.${String(timestamp)}.${body}`)
    .digest("base64")}`
