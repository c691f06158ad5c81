import { Context } from "effect"
import type { TypeLimits as Limits } from "../domain/Flow.ts"

/** What a process can run at once of some types, whatever the flow lets it; a repository claims no more. */
export const TypeLimits: Context.Reference<Limits> = Context.Reference<Limits>("venom/ports/TypeLimits", {
  defaultValue: () => ({})
})
