import { Effect, Schema } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { VenomApi } from "../api/VenomApi.ts"
import { Schedule, type ScheduleNotFound, ScheduleRequest } from "../domain/Schedule.ts"
import type { InvalidContent } from "../domain/TaskError.ts"
import type { ServiceDraining } from "../engine/Draining.ts"
import { Schedules } from "../engine/Schedules.ts"
import type { StorageError } from "../ports/StorageError.ts"
import { headers, json } from "./JsonResponse.ts"
import * as Refusal from "./Refusal.ts"
import * as RequestBody from "./RequestBody.ts"
import { ServerSettings } from "./ServerSettings.ts"
import { ServiceLog } from "./ServiceLog.ts"
import * as SurplusQuery from "./SurplusQuery.ts"
import * as TaskBody from "./TaskBody.ts"

type Request = HttpServerRequest.HttpServerRequest

const decode = RequestBody.by(ScheduleRequest)
const toWire = Schema.encodeSync(Schedule)

const hasHugeTask = (input: unknown): boolean =>
  typeof input === "object" && input !== null && "task" in input && TaskBody.hasHugeContent(input.task)

/** What makes tasks again and again. */
export const layer = HttpApiBuilder.group(
  VenomApi,
  "schedules",
  Effect.fnUntraced(function* (handlers) {
    const schedules = yield* Schedules
    const { maxBody } = yield* ServerSettings
    const log = yield* ServiceLog

    const answered = Effect.fnUntraced(function* <A>(
      request: Request,
      asked: Effect.Effect<
        A,
        HttpServerResponse.HttpServerResponse | StorageError | ServiceDraining | ScheduleNotFound | InvalidContent
      >,
      answer: (done: A) => HttpServerResponse.HttpServerResponse
    ) {
      const surplus = yield* SurplusQuery.refusal(request)
      if (surplus !== undefined) return surplus
      const refuse = Refusal.respond(log, request)
      return yield* Effect.catch(Effect.map(asked, answer), (error) =>
        HttpServerResponse.isHttpServerResponse(error) ? Effect.succeed(error) : refuse(error)
      )
    })

    const one = (schedule: Schedule) => json(JSON.stringify(toWire(schedule)))

    return handlers
      .handle("list", ({ request }) =>
        answered(request, schedules.list, (all) => json(JSON.stringify(all.map((each) => toWire(each)))))
      )
      .handle("get", ({ params, request }) => answered(request, schedules.get(params.name), one))
      .handleRaw(
        "put",
        ({ params, request }) => {
          const asked = Effect.flatMap(RequestBody.read(request, maxBody, decode, hasHugeTask), (body) =>
            schedules.put(params.name, body)
          )
          return answered(request, asked, ({ isNew, schedule }) =>
            HttpServerResponse.setStatus(one(schedule), isNew ? 201 : 200)
          )
        },
        // a client that hangs up does not take back what it has sent
        { uninterruptible: true }
      )
      .handleRaw("delete", ({ params, request }) =>
        answered(request, Effect.andThen(RequestBody.none(request, maxBody), schedules.remove(params.name)), () =>
          HttpServerResponse.empty({ status: 204, headers })
        )
      )
  })
)
