import { Option, Schema } from "effect"
import * as Flow from "../../domain/Flow.ts"
import type { Entry } from "../../ports/Entry.ts"
import type { EntryChange } from "../memory/EntryTable.ts"

/** The entry that tells what holds back tasks. */
export const name = "flow"

const codec = Schema.toCodecJson(Flow.Flow)
const decode = Schema.decodeUnknownOption(codec)
const encode = Schema.encodeSync(codec)

/** What cannot be read holds back everything: a task that waits can still be let go. */
export const read = (entry: Entry | undefined): Flow.Flow =>
  entry === undefined ? Flow.free : Option.getOrElse(decode(entry.value), () => ({ ...Flow.free, paused: true }))

/** In the place of the entry as it was. */
export const change = (flow: Flow.Flow, before: Entry | undefined): EntryChange => ({
  name,
  entry: { name, value: encode(flow), revision: (before?.revision ?? 0) + 1, expiresAt: null }
})
