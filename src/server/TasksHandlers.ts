import { Effect, Result } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { problems } from "../api/Problem.ts"
import { VenomApi } from "../api/VenomApi.ts"
import type { TaskId, TaskStatus, VenomTask } from "../domain/Task.ts"
import { Orchestrator } from "../engine/Orchestrator.ts"
import type { TaskFilter } from "../ports/StateRepository.ts"
import * as AskedAlready from "./AskedAlready.ts"
import * as InputIssues from "./InputIssues.ts"
import { headers, json, problem } from "./JsonResponse.ts"
import * as Refusal from "./Refusal.ts"
import * as RequestBody from "./RequestBody.ts"
import { ServerSettings } from "./ServerSettings.ts"
import { ServiceLog } from "./ServiceLog.ts"
import * as TaskAnswer from "./TaskAnswer.ts"
import * as TaskListResponse from "./TaskListResponse.ts"

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

    return handlers
      .handleRaw(
        "submit",
        Effect.fnUntraced(function* ({ request }) {
          const failed = AskedAlready.of(request)
          if (failed !== undefined) return yield* Effect.catch(failed, Refusal.respond(log, request))
          const surplus = yield* surplusQuery(request)
          if (surplus !== undefined) return surplus
          const body = yield* Effect.result(RequestBody.taskRequest(request, maxBody))
          if (Result.isFailure(body)) return body.failure
          return yield* orchestrator.submit(body.success).pipe(
            Effect.map(({ id, status }) =>
              json(JSON.stringify({ task_id: id, status }), {
                status: 201,
                headers: { location: `/api/v1/tasks/${id}` }
              })
            ),
            Effect.catch(Refusal.respond(log, request))
          )
        }),
        // a client that hangs up does not take back what it has sent
        { uninterruptible: true }
      )
      .handle(
        "get",
        Effect.fnUntraced(function* ({ headers, params, request }) {
          const failed = AskedAlready.of(request)
          if (failed !== undefined) return yield* Effect.catch(failed, Refusal.respond(log, request))
          const surplus = yield* surplusQuery(request)
          if (surplus !== undefined) return surplus
          return yield* orchestrator.get(params.id).pipe(
            Effect.map((task) => taskResponse(task, headers["if-none-match"])),
            Effect.catch(Refusal.respond(log, request))
          )
        })
      )
      .handle("list", ({ query, request }) => {
        const { cursor, limit } = query
        const filter = filterOf(query)
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
                      more && last !== undefined ? nextPage(query, last.id) : undefined
                    )
                  })
                )
        return Effect.catch(answer, Refusal.respond(log, request))
      })
  })
)

const mostOnPage = 500

/** The answer to a query where none has a meaning. */
const surplusQuery = (request: HttpServerRequest.HttpServerRequest) =>
  Effect.map(HttpServerRequest.ParsedSearchParams, (query) => {
    const errors = Object.keys(query).map((path) => ({ path, message: "Unknown parameter" }))
    return errors.length === 0
      ? undefined
      : problem(request, problems.invalidRequest, { detail: InputIssues.summary(errors), errors })
  })

const taskResponse = (task: VenomTask, known: string | undefined): HttpServerResponse.HttpServerResponse => {
  const extra = TaskAnswer.headers(task)
  return known !== undefined && isKnown(TaskAnswer.tag(task), known)
    ? HttpServerResponse.empty({ status: 304, headers: { ...headers, ...extra } })
    : json(TaskAnswer.text(task), { headers: extra })
}

/** The weak comparison of RFC 9110: a tag counts whether it is called weak or not. */
const isKnown = (tag: string, known: string): boolean =>
  known.split(",").some((candidate) => [tag, `W/${tag}`, "*"].includes(candidate.trim()))

interface Query {
  readonly status?: TaskStatus
  readonly type?: string
  readonly tag?: string
  readonly q?: string
  readonly limit?: number
  readonly cursor?: TaskId
}

const filterOf = ({ q, status, tag, type }: Query): TaskFilter => ({
  ...(status === undefined ? {} : { status }),
  ...(type === undefined ? {} : { type }),
  ...(tag === undefined ? {} : { tag }),
  ...(q === undefined ? {} : { text: q })
})

const nextPage = (query: Query, cursor: TaskId): string => {
  const parameters = Object.entries({ ...query, cursor }).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  return `</api/v1/tasks?${parameters.join("&")}>; rel="next"`
}
