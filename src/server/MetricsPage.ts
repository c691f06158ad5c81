import { Effect } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { PrometheusMetrics } from "effect/observability"
import { Metrics } from "../engine/Metrics.ts"
import { headers } from "./JsonResponse.ts"
import * as ProcessMetrics from "./ProcessMetrics.ts"

/** The text format 0.0.4, https://prometheus.io/docs/instrumenting/exposition_formats/ */
const contentType = "text/plain; version=0.0.4; charset=utf-8"

/** All metrics of the registry, those of the application around Venom too, for Prometheus to read. */
export const layer = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const { refresh } = yield* Metrics
    const readProcess = yield* ProcessMetrics.make
    yield* router.add(
      "GET",
      "/metrics",
      Effect.gen(function* () {
        yield* refresh
        yield* readProcess
        return HttpServerResponse.text(yield* PrometheusMetrics.format(), { contentType, headers })
      })
    )
  })
)
