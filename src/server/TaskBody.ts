import { type Effect, Result, Schema } from "effect"
import type { HttpServerRequest, HttpServerResponse } from "effect/http"
import { type InputIssue, within } from "../domain/InputIssues.ts"
import { limits, TaskCopyRequest, TaskRequest } from "../domain/Task.ts"
import type { Requested } from "../engine/Submission.ts"
import * as RequestBody from "./RequestBody.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/** Issues of a list of tasks that are told at most, more or less. */
const mostIssues = 100

const task = RequestBody.by(TaskRequest)
const copy = RequestBody.by(TaskCopyRequest)

const isObject = (input: unknown): input is object => typeof input === "object" && input !== null

const requested: RequestBody.Decode<Requested> = (input) =>
  isObject(input) && "copy_of" in input ? copy(input) : task(input)

const list = RequestBody.by(
  Schema.Struct({ tasks: Schema.Array(Schema.Unknown).check(Schema.isBetweenLength(1, limits.bulk)) })
)

const allRequested: RequestBody.Decode<ReadonlyArray<Requested>> = (input) => {
  const listed = list(input)
  if (Result.isFailure(listed)) return Result.fail(listed.failure)
  const requests: Array<Requested> = []
  const issues: Array<InputIssue> = []
  for (const [index, item] of listed.success.tasks.entries()) {
    const decoded = requested(item)
    if (Result.isSuccess(decoded)) requests.push(decoded.success)
    else
      issues.push(...decoded.failure.map(({ message, path }) => ({ message, path: within(`tasks[${index}]`, path) })))
    if (issues.length >= mostIssues) break
  }
  return issues.length === 0 ? Result.succeed(requests) : Result.fail(issues)
}

/** The one task that a body asks for, or the answer that refuses it. */
export const one = (request: Request, maxBody: number): Effect.Effect<Requested, Response> =>
  RequestBody.read(request, maxBody, requested, hasHugeContent)

/** The tasks that a body asks for, likewise. */
export const many = (request: Request, maxBody: number): Effect.Effect<ReadonlyArray<Requested>, Response> =>
  RequestBody.read(
    request,
    maxBody,
    allRequested,
    (input) => isObject(input) && "tasks" in input && Array.isArray(input.tasks) && input.tasks.some(hasHugeContent)
  )

export const hasHugeContent = (input: unknown): boolean =>
  isObject(input) &&
  "content" in input &&
  typeof input.content === "string" &&
  Buffer.byteLength(input.content) > limits.contentBytes
