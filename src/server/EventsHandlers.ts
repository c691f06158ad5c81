import { Cause, Clock, Effect, Schedule, Stream } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { problems } from "../api/Problem.ts"
import { VenomApi } from "../api/VenomApi.ts"
import type { Told } from "../engine/Event.ts"
import type { Following } from "../engine/Following.ts"
import { Orchestrator } from "../engine/Orchestrator.ts"
import { Access } from "./Access.ts"
import * as EventText from "./EventText.ts"
import { headers as always, problem } from "./JsonResponse.ts"
import * as Refusal from "./Refusal.ts"
import { ServiceLog } from "./ServiceLog.ts"
import * as SurplusQuery from "./SurplusQuery.ts"
import * as TaskFilters from "./TaskFilters.ts"

/** An open stream says something at least this often, so that whatever stands between keeps it open. */
const heartbeatEvery = "15 seconds"

/** Streams of all clients that are open at once. */
const mostOpen = 10_000

/** Whether the key of an open stream is still in force is looked at this often at most, and with each heartbeat. */
const lookEvery = 1000

/** The streams of events: written as fast as a client reads, and kept for no one. */
export const layer = HttpApiBuilder.group(
  VenomApi,
  "events",
  Effect.fnUntraced(function* (handlers) {
    const orchestrator = yield* Orchestrator
    const log = yield* ServiceLog
    const access = yield* Access
    const clock = yield* Clock.Clock
    const open = new Set<Following>()
    const stirAll = Effect.sync(() => {
      for (const following of open) following.stir()
    })
    yield* Effect.forkScoped(Effect.schedule(stirAll, Schedule.spaced(heartbeatEvery)))

    /** Who has begun to listen with a key may listen as long as the key is in force. */
    const listener = ({ headers }: HttpServerRequest.HttpServerRequest): (() => boolean) => {
      let lookedAt = clock.currentTimeMillisUnsafe()
      return () => {
        const now = clock.currentTimeMillisUnsafe()
        if (Math.abs(now - lookedAt) < lookEvery) return true
        lookedAt = now
        return access.scopeOf(headers) !== undefined
      }
    }

    const answer = Effect.fnUntraced(function* (following: Following, request: HttpServerRequest.HttpServerRequest) {
      if (following.isOver) return HttpServerResponse.empty({ status: 204, headers: always })
      if (open.size >= mostOpen) {
        const detail = `As many streams are open as may be, ${mostOpen}`
        return problem(request, problems.unavailable, { detail }, { "retry-after": "5" })
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => open.add(following)),
        () => Effect.sync(() => open.delete(following))
      )
      const mayListen = listener(request)
      const piece = (events: ReadonlyArray<Told>): readonly [Uint8Array] => [
        events.length === 0 ? EventText.heartbeat : EventText.all(events)
      ]
      const pieces = Effect.flatMap(following.next, (events) =>
        mayListen() ? Effect.succeed(piece(events)) : Cause.done()
      )
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
          return yield* orchestrator.followTask(params.id, EventText.from(headers["last-event-id"])).pipe(
            Effect.flatMap((following) => answer(following, request)),
            Effect.catch(Refusal.respond(log, request))
          )
        })
      )
      .handle("all", ({ headers, query, request }) =>
        orchestrator.follow(TaskFilters.of(query), EventText.from(headers["last-event-id"])).pipe(
          Effect.flatMap((following) => answer(following, request)),
          Effect.catch(Refusal.respond(log, request))
        )
      )
  })
)
