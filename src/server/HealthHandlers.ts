import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { problems } from "../api/Problem.ts"
import { VenomApi } from "../api/VenomApi.ts"
import { Orchestrator } from "../engine/Orchestrator.ts"
import { json, problem } from "./JsonResponse.ts"

const ok = json(JSON.stringify({ status: "ok" }))

export const layer = HttpApiBuilder.group(
  VenomApi,
  "health",
  Effect.fnUntraced(function* (handlers) {
    const { readiness } = yield* Orchestrator
    return handlers
      .handle("live", () => Effect.succeed(ok))
      .handle("ready", ({ request }) =>
        Effect.map(readiness, (reasons) =>
          reasons.length === 0
            ? ok
            : problem(request, problems.unavailable, { detail: reasons.join("; ") }, { "retry-after": "1" })
        )
      )
  })
)
