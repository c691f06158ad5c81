import { Effect, Result, Schema } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { VenomApi } from "../api/VenomApi.ts"
import type { TaskId, TaskResponse, VenomTask } from "../domain/Task.ts"
import * as Why from "../domain/Why.ts"
import { Orchestrator } from "../engine/Orchestrator.ts"
import type { Submitted } from "../engine/Submission.ts"
import * as AskedAlready from "./AskedAlready.ts"
import { cameWith } from "./CameWith.ts"
import { headers, json } from "./JsonResponse.ts"
import { prefixOf } from "./Mounted.ts"
import * as Refusal from "./Refusal.ts"
import { ServerSettings } from "./ServerSettings.ts"
import { ServiceLog } from "./ServiceLog.ts"
import * as SurplusQuery from "./SurplusQuery.ts"
import * as TaskAnswer from "./TaskAnswer.ts"
import * as TaskBody from "./TaskBody.ts"
import * as TaskFilters from "./TaskFilters.ts"
import * as TaskListResponse from "./TaskListResponse.ts"
import * as Waiting from "./Waiting.ts"

/**
 * The task routes. They answer with responses of their own making, in the wire form of `TaskJson`: the
 * schemas of the contract describe them, and the tests hold them to it.
 */
export const layer = HttpApiBuilder.group(
  VenomApi,
  "tasks",
  Effect.fnUntraced(function* (handlers) {
    const orchestrator = yield* Orchestrator
    const { maxBody } = yield* ServerSettings
    const log = yield* ServiceLog

    const untilFinal = Waiting.make(orchestrator)

    /** The task is there whatever becomes of the waiting, which ends when its client hangs up. */
    const waited = (request: HttpServerRequest.HttpServerRequest, task: Submitted) =>
      Effect.interruptible(Effect.catch(untilFinal(request, task), () => Effect.succeed({ task, headers: {} })))

    return handlers
      .handleRaw(
        "submit",
        Effect.fnUntraced(function* ({ headers, request }) {
          const failed = AskedAlready.of(request)
          if (failed !== undefined) return yield* Effect.catch(failed, Refusal.respond(log, request))
          const surplus = yield* SurplusQuery.refusal(request)
          if (surplus !== undefined) return surplus
          const body = yield* Effect.result(TaskBody.one(request, maxBody))
          if (Result.isFailure(body)) return body.failure
          const { "idempotency-key": key } = headers
          const submitted =
            key === undefined
              ? Effect.map(orchestrator.submit(body.success), (task) => ({ task, replayed: false }))
              : orchestrator.submitOnce(key, body.success)
          return yield* cameWith(headers.traceparent, submitted).pipe(
            Effect.flatMap(({ replayed, task }) =>
              Effect.map(waited(request, task), (now) =>
                json(JSON.stringify(taken(now.task)), {
                  status: 201,
                  headers: {
                    location: `${prefixOf(request)}/api/v1/tasks/${task.id}`,
                    ...told(replayed),
                    ...now.headers
                  }
                })
              )
            ),
            Effect.catch(Refusal.respond(log, request))
          )
        }),
        // a client that hangs up does not take back what it has sent
        { uninterruptible: true }
      )
      .handleRaw(
        "submitAll",
        Effect.fnUntraced(function* ({ headers, request }) {
          const surplus = yield* SurplusQuery.refusal(request)
          if (surplus !== undefined) return surplus
          const body = yield* Effect.result(TaskBody.many(request, maxBody))
          if (Result.isFailure(body)) return body.failure
          const { "idempotency-key": key } = headers
          const submitted =
            key === undefined
              ? Effect.map(orchestrator.submitAll(body.success), (tasks) => ({ tasks, replayed: false }))
              : orchestrator.submitAllOnce(key, body.success)
          return yield* cameWith(headers.traceparent, submitted).pipe(
            Effect.map(({ replayed, tasks }) =>
              json(JSON.stringify(tasks.map(taken)), { status: 201, headers: told(replayed) })
            ),
            Effect.catch(Refusal.respond(log, request))
          )
        }),
        { uninterruptible: true }
      )
      .handle(
        "get",
        Effect.fnUntraced(function* ({ headers, params, request }) {
          const failed = AskedAlready.of(request)
          if (failed !== undefined) return yield* Effect.catch(failed, Refusal.respond(log, request))
          const surplus = yield* SurplusQuery.refusal(request)
          if (surplus !== undefined) return surplus
          return yield* orchestrator.get(params.id).pipe(
            Effect.flatMap((task) => untilFinal(request, task)),
            Effect.map((now) => taskResponse(now.task, headers["if-none-match"], now.headers)),
            Effect.catch(Refusal.respond(log, request))
          )
        })
      )
      .handle(
        "why",
        Effect.fnUntraced(function* ({ params, request }) {
          const surplus = yield* SurplusQuery.refusal(request)
          if (surplus !== undefined) return surplus
          return yield* orchestrator.why(params.id).pipe(
            Effect.map((why) => json(JSON.stringify(encodeWhy(why)))),
            Effect.catch(Refusal.respond(log, request))
          )
        })
      )
      .handle("list", ({ query, request }) => {
        const { cursor, limit } = query
        const filter = TaskFilters.of(query)
        const answer =
          limit === undefined && cursor === undefined
            ? TaskListResponse.streamed(orchestrator.list(filter))
            : orchestrator
                .page(filter, { limit: limit ?? mostOnPage, ...(cursor === undefined ? {} : { before: cursor }) })
                .pipe(
                  Effect.map(({ more, tasks }) => {
                    const last = tasks.at(-1)
                    return TaskListResponse.page(
                      tasks,
                      more && last !== undefined ? nextPage(prefixOf(request), query, last.id) : undefined
                    )
                  })
                )
        return Effect.catch(answer, Refusal.respond(log, request))
      })
  })
)

const mostOnPage = 500

const encodeWhy = Schema.encodeSync(Why.Answer)

const taken = ({ id, status }: Submitted): typeof TaskResponse.Encoded => ({ task_id: id, status })

const told = (replayed: boolean): Readonly<Record<string, string>> =>
  replayed ? { "idempotency-replayed": "true" } : {}

const taskResponse = (
  task: VenomTask,
  known: string | undefined,
  more: Readonly<Record<string, string>>
): HttpServerResponse.HttpServerResponse => {
  const extra = { ...TaskAnswer.headers(task), ...more }
  return known !== undefined && isKnown(TaskAnswer.tag(task), known)
    ? HttpServerResponse.empty({ status: 304, headers: { ...headers, ...extra } })
    : json(TaskAnswer.text(task), { headers: extra })
}

/** The weak comparison of RFC 9110: a tag counts whether it is called weak or not. */
const isKnown = (tag: string, known: string): boolean =>
  known.split(",").some((candidate) => [tag, `W/${tag}`, "*"].includes(candidate.trim()))

const nextPage = (prefix: string, query: Readonly<Record<string, string | number>>, cursor: TaskId): string => {
  const parameters = Object.entries({ ...query, cursor }).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  return `<${prefix}/api/v1/tasks?${parameters.join("&")}>; rel="next"`
}
