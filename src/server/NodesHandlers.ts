import { Effect, Schema } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { VenomNode } from "../api/NodesApi.ts"
import { VenomApi } from "../api/VenomApi.ts"
import { Nodes } from "../engine/Nodes.ts"
import { json } from "./JsonResponse.ts"
import * as Refusal from "./Refusal.ts"
import { ServiceLog } from "./ServiceLog.ts"
import * as SurplusQuery from "./SurplusQuery.ts"

const toWire = Schema.encodeSync(Schema.Array(VenomNode))

/** Who takes part in the queue. */
export const layer = HttpApiBuilder.group(
  VenomApi,
  "nodes",
  Effect.fnUntraced(function* (handlers) {
    const { list } = yield* Nodes
    const log = yield* ServiceLog
    return handlers.handle("list", ({ request }) =>
      Effect.gen(function* () {
        const surplus = yield* SurplusQuery.refusal(request)
        if (surplus !== undefined) return surplus
        return yield* list.pipe(
          Effect.map((nodes) => json(JSON.stringify(toWire(nodes)))),
          Effect.catch(Refusal.respond(log, request))
        )
      })
    )
  })
)
