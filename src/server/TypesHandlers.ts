import { Effect, type JsonSchema, Schema } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { TypeInfo } from "../api/TypesApi.ts"
import { VenomApi } from "../api/VenomApi.ts"
import { type KnownType, TypeCatalog } from "../engine/TypeCatalog.ts"
import { json } from "./JsonResponse.ts"
import * as Refusal from "./Refusal.ts"
import { ServiceLog } from "./ServiceLog.ts"
import * as SurplusQuery from "./SurplusQuery.ts"

const toWire = Schema.encodeUnknownSync(Schema.Array(TypeInfo))

/** What tasks may be asked for. */
export const layer = HttpApiBuilder.group(
  VenomApi,
  "types",
  Effect.fnUntraced(function* (handlers) {
    const catalog = yield* TypeCatalog
    const log = yield* ServiceLog
    return handlers.handle(
      "list",
      Effect.fnUntraced(function* ({ request }) {
        const surplus = yield* SurplusQuery.refusal(request)
        if (surplus !== undefined) return surplus
        return yield* catalog.list.pipe(
          Effect.map((types) => json(JSON.stringify(toWire(types.map(infoOf))))),
          Effect.catch(Refusal.respond(log, request))
        )
      })
    )
  })
)

const infoOf = ({ counts, isHandled, name, registered }: KnownType) => ({
  name,
  handled: isHandled,
  payload: registered === undefined ? null : whole(registered.payload),
  success: registered === undefined ? null : whole(registered.success),
  failure: registered === undefined ? null : whole(registered.failure),
  defaults: registered?.defaults ?? {},
  counts: counts ?? null
})

/** One that stands for itself, wherever it is taken to. */
const whole = ({ definitions, schema }: JsonSchema.Document<"draft-2020-12">) => ({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  ...schema,
  ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions })
})
