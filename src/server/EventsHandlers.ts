import { Effect, Schedule, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { VenomApi } from "../api/VenomApi.ts"
import type { Following } from "../engine/Following.ts"
import { Orchestrator } from "../engine/Orchestrator.ts"
import * as EventText from "./EventText.ts"
import { headers as always } from "./JsonResponse.ts"
import * as Refusal from "./Refusal.ts"
import { ServiceLog } from "./ServiceLog.ts"
import * as SurplusQuery from "./SurplusQuery.ts"
import * as TaskFilters from "./TaskFilters.ts"

/** An open stream says something at least this often, so that whatever stands between keeps it open. */
const heartbeatEvery = "15 seconds"

/** The streams of events: written as fast as a client reads, and kept for no one. */
export const layer = HttpApiBuilder.group(
  VenomApi,
  "events",
  Effect.fnUntraced(function* (handlers) {
    const orchestrator = yield* Orchestrator
    const log = yield* ServiceLog
    const open = new Set<Following>()
    const stirAll = Effect.sync(() => {
      for (const following of open) following.stir()
    })
    yield* Effect.forkScoped(Effect.schedule(stirAll, Schedule.spaced(heartbeatEvery)))

    const answer = Effect.fnUntraced(function* (following: Following) {
      if (following.isOver) return HttpServerResponse.empty({ status: 204, headers: always })
      yield* Effect.acquireRelease(
        Effect.sync(() => open.add(following)),
        () => Effect.sync(() => open.delete(following))
      )
      const pieces = Effect.map(following.next, (events): readonly [Uint8Array] => [
        events.length === 0 ? EventText.heartbeat : EventText.all(events)
      ])
      const begin = following.begin === undefined ? [] : [EventText.begin(following.begin)]
      return HttpServerResponse.stream(
        Stream.fromIterable(begin).pipe(Stream.concat(Stream.fromPull(Effect.succeed(pieces)))),
        { contentType: "text/event-stream", headers: { ...always, "x-accel-buffering": "no" } }
      )
    })

    return handlers
      .handle(
        "ofTask",
        Effect.fnUntraced(function* ({ headers, params, request }) {
          const surplus = yield* SurplusQuery.refusal(request)
          if (surplus !== undefined) return surplus
          return yield* orchestrator
            .followTask(params.id, EventText.from(headers["last-event-id"]))
            .pipe(Effect.flatMap(answer), Effect.catch(Refusal.respond(log, request)))
        })
      )
      .handle("all", ({ headers, query, request }) =>
        orchestrator
          .follow(TaskFilters.of(query), EventText.from(headers["last-event-id"]))
          .pipe(Effect.flatMap(answer), Effect.catch(Refusal.respond(log, request)))
      )
  })
)
