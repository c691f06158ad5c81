import { Effect, Option, Schema } from "effect"
import type { HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { HourStatistics, StorageState } from "../api/StatisticsApi.ts"
import { VenomApi } from "../api/VenomApi.ts"
import { Statistics } from "../engine/Statistics.ts"
import { type Report, StorageReport } from "../engine/StorageReport.ts"
import type { StorageError } from "../ports/StorageError.ts"
import { json } from "./JsonResponse.ts"
import * as Refusal from "./Refusal.ts"
import { ServiceLog } from "./ServiceLog.ts"
import * as SurplusQuery from "./SurplusQuery.ts"

const hourToWire = Schema.encodeSync(HourStatistics)
const storageToWire = Schema.encodeSync(StorageState)

const seconds = (millis: number) => (Number.isFinite(millis) ? millis / 1000 : null)

const stateOf = ({ files, health, kind, nextPrune, recovered, retention, savedAt }: Report): StorageState => ({
  kind,
  writable: health._tag === "Writable",
  reason: health._tag === "Writable" ? null : health.reason,
  savedAt: savedAt ?? null,
  files,
  recovery: recovered === undefined ? null : { ...recovered, seconds: recovered.took / 1000 },
  retention: {
    completed: seconds(retention.completed),
    failed: seconds(retention.failed),
    count: Number.isSafeInteger(retention.count) ? retention.count : null
  },
  nextPrune: Option.getOrNull(nextPrune)
})

/** What operators look at. */
export const layer = HttpApiBuilder.group(
  VenomApi,
  "statistics",
  Effect.fnUntraced(function* (handlers) {
    const { lastHour } = yield* Statistics
    const { report } = yield* StorageReport
    const log = yield* ServiceLog

    const answered = (request: HttpServerRequest.HttpServerRequest, body: Effect.Effect<unknown, StorageError>) =>
      Effect.gen(function* () {
        const surplus = yield* SurplusQuery.refusal(request)
        if (surplus !== undefined) return surplus
        const answer = Effect.map(body, (state) => json(JSON.stringify(state)))
        return yield* Effect.catch(answer, Refusal.respond(log, request))
      })

    return handlers
      .handle("lastHour", ({ request }) =>
        answered(
          request,
          Effect.map(lastHour, (hour) => hourToWire(hour))
        )
      )
      .handle("storage", ({ request }) =>
        answered(
          request,
          Effect.map(report, (it) => storageToWire(stateOf(it)))
        )
      )
  })
)
