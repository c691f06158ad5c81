import { Clock, Context, Duration, Effect, Layer, Option, References, Result, Schema, Scope, Tracer } from "effect"
import * as InputIssues from "../domain/InputIssues.ts"
import * as IsoTime from "../domain/IsoTime.ts"
import * as Span from "../domain/Span.ts"
import { type TaskId, TaskRequest, TaskTemplate, TaskType as TaskTypeName, type VenomTask } from "../domain/Task.ts"
import { type IdempotencyKeyReused, InvalidContent, rejected, TaskFailure } from "../domain/TaskError.ts"
import type { RegisteredType, TypeDefaults } from "../ports/RegisteredTypes.ts"
import { type QueueUnavailable, type SubmitOptions, TaskClient } from "../ports/TaskClient.ts"
import type { AttemptHandle, TaskRunner } from "../ports/TaskRunner.ts"
import * as JsonCodec from "./JsonCodec.ts"
import * as TaskHandle from "./TaskHandle.ts"

/** What follows a failure: the backoff of the task, nothing more, or an attempt after so much time. */
export type Retry = "backoff" | "never" | Duration.Input

export interface Options<P, S, F> extends TypeDefaults {
  readonly payload: Schema.Codec<P, unknown>
  /** Nothing without. */
  readonly success?: Schema.Codec<S, unknown>
  /** What its handler may fail with, besides what `TaskError` makes. */
  readonly failure?: Schema.Codec<F, unknown>
  readonly concurrencyKey?: (payload: P) => string
  readonly uniqueKey?: (payload: P) => string
  /** What follows a failure of attempt number `attempt`; `backoff` without. Attempts end at `maxAttempts` all the same. */
  readonly retry?: (failure: F, attempt: number) => Retry
}

/** What a request may say of one task; what it does not say is as its type has it. */
export interface TypedOptions extends Omit<TaskRequest, "content" | "type">, SubmitOptions {}

/** What a handler is told of its attempt, and may tell. */
export interface RunningAttempt extends AttemptHandle {
  readonly task: VenomTask
}

/** The work of a type. What it does not catch of its failures fails the attempt; a defect fails the task. */
export type Handle<P, S, F, R> = (
  payload: P,
  attempt: RunningAttempt
) => Effect.Effect<S, F | TaskFailure, R | Scope.Scope>

/** Stands for the handler of a type among the services of an application. */
export interface Handler<Name extends string> {
  readonly "~venom/typed/Handler": Name
}

type Run = TaskRunner["Service"]["run"]

/** A kind of tasks: what their content is, what comes of it, how they are run. */
export interface TaskType<Name extends string, P, S, F> {
  readonly name: Name
  /** For those who have to know it without its types. */
  readonly registered: RegisteredType
  /** The task that `submit` asks for: an ordinary one, for other ways of submitting. */
  readonly request: (
    payload: P,
    options?: Omit<TypedOptions, "idempotencyKey">
  ) => Effect.Effect<TaskRequest, InvalidContent>
  /** The task is durable when this returns. Where an unfinished task has its unique key, that one is returned. */
  readonly submit: (
    payload: P,
    options?: TypedOptions
  ) => Effect.Effect<TaskHandle.TaskHandle<S, F>, InvalidContent | IdempotencyKeyReused | QueueUnavailable, TaskClient>
  /** A task that was submitted before, here or elsewhere. */
  readonly handle: (id: TaskId) => Effect.Effect<TaskHandle.TaskHandle<S, F>, never, TaskClient>
  /** Has its tasks done by a handler, which may be made first. Each attempt has a scope of its own. */
  readonly toLayer: <R = never, E = never, RX = never>(
    handle: Handle<P, S, F, R> | Effect.Effect<Handle<P, S, F, R>, E, RX>
  ) => Layer.Layer<Handler<Name>, E, Exclude<R | RX, Scope.Scope>>
  /** What the handler comes to, for runners. */
  readonly handler: Effect.Effect<Run, never, Handler<Name>>
}

const checkName = Schema.decodeUnknownSync(TaskTypeName)
const checkTemplate = Schema.decodeUnknownSync(Schema.toType(TaskTemplate))
const checkDeadline = Schema.decodeUnknownSync(Span.between("1 millis"))
const checkRequest = Schema.decodeUnknownResult(Schema.toType(TaskRequest), { errors: "all" })

/** Fields of requests that have another name on the wire. */
const wireNames: ReadonlyMap<string, string> = new Map([
  ["runAt", "run_at"],
  ["maxAttempts", "max_attempts"],
  ["concurrencyKey", "concurrency_key"],
  ["uniqueKey", "unique_key"]
])

const invalid = (issues: JsonCodec.Issues) => new InvalidContent({ issues })

/** A task type. Throws where its name or its defaults are none. */
export function make<const Name extends string, P, S = void, F = never>(
  name: Name,
  options: Options<P, S, F>
): TaskType<Name, P, S, F>
export function make(name: string, options: Options<unknown, unknown, unknown>) {
  return makeWith(name, { success: Schema.Void, failure: Schema.Never, ...options })
}

const makeWith = <Name extends string, P, S, F>(
  name: Name,
  options: Options<P, S, F> & Required<Pick<Options<P, S, F>, "success" | "failure">>
): TaskType<Name, P, S, F> => {
  checkName(name)
  const defaults = defaultsOf(options)
  const payloads = JsonCodec.make(`${name}.payload`, options.payload)
  const reading = {
    name,
    success: JsonCodec.make(`${name}.success`, options.success),
    failure: JsonCodec.make(`${name}.failure`, options.failure)
  }
  const key = Context.Service<Handler<Name>, Run>(`venom/typed/Handler/${name}`)

  const keyOf = (what: string, make: ((payload: P) => string) | undefined, payload: P) =>
    make === undefined
      ? Effect.succeed(undefined)
      : Effect.try({
          try: () => make(payload),
          catch: (error) => invalid([{ path: "content", message: `No ${what} can be made of it: ${String(error)}` }])
        })

  /** What the request leaves open is as the type has it. */
  const fill = Effect.fnUntraced(function* (request: TaskRequest, payload: P, hasDeadline: boolean) {
    const { deadline, ...given } = defaults
    const concurrencyKey = request.concurrencyKey ?? (yield* keyOf("concurrency key", options.concurrencyKey, payload))
    const uniqueKey = request.uniqueKey ?? (yield* keyOf("unique key", options.uniqueKey, payload))
    const until =
      deadline === undefined || !hasDeadline ? undefined : (yield* Clock.currentTimeMillis) + Span.millis(deadline)
    const filled: TaskRequest = {
      ...given,
      ...(until === undefined ? {} : { deadline: Math.min(until, IsoTime.latest) }),
      ...(concurrencyKey === undefined ? {} : { concurrencyKey }),
      ...(uniqueKey === undefined ? {} : { uniqueKey }),
      ...request,
      type: name
    }
    const checked = checkRequest(filled)
    if (Result.isSuccess(checked)) return filled
    const issues = InputIssues.inBody(checked.failure)
    return yield* invalid(issues.map(({ message, path }) => ({ path: wireNames.get(path) ?? path, message })))
  })

  const asContent = (issues: JsonCodec.Issues) =>
    invalid(issues.map(({ message, path }) => ({ path: InputIssues.within("content", path), message })))

  const request = (payload: P, wished: Omit<TypedOptions, "idempotencyKey">, hasDeadline: boolean) =>
    payloads.toText(payload).pipe(
      Effect.mapError(asContent),
      Effect.flatMap((content) => fill({ ...wished, content }, payload, hasDeadline))
    )

  const failureOf = (failure: F, attempt: number): Effect.Effect<TaskFailure> =>
    reading.failure.toJson(failure).pipe(
      Effect.mapError((issues) => `it failed with what is no failure of ${name}: ${InputIssues.summary(issues)}`),
      // a handler that does not keep to its own type has a bug: the attempt ends as a defect
      Effect.orDie,
      Effect.map((data) => {
        const retry = options.retry?.(failure, attempt) ?? "backoff"
        const said = { message: messageOf(failure) ?? JSON.stringify(data), data }
        if (retry === "never" || retry === "backoff")
          return new TaskFailure({ ...said, retryable: retry === "backoff" })
        return new TaskFailure({ ...said, retryable: true, retryAfter: Duration.fromInputUnsafe(retry) })
      })
    )

  return {
    name,
    registered: {
      name,
      defaults,
      payload: payloads.schema,
      success: reading.success.schema,
      failure: reading.failure.schema,
      complete: (request) =>
        payloads.fromTextStrictly(request.content).pipe(
          Effect.mapError(asContent),
          Effect.flatMap((payload) => fill(request, payload, true))
        )
    },
    request: (payload, wished = {}) => request(payload, wished, true),
    submit: (payload, { idempotencyKey, ...wished } = {}) =>
      Effect.gen(function* () {
        const client = yield* TaskClient
        // the same request again must be the same: then the deadline is for the service to set
        const task = yield* request(payload, wished, idempotencyKey === undefined)
        const { id } = yield* client.submit(task, { idempotencyKey })
        return TaskHandle.make(reading, client, id)
      }),
    handle: (id) => Effect.map(TaskClient, (client) => TaskHandle.make(reading, client, id)),
    toLayer: <R, E, RX>(build: Handle<P, S, F, R> | Effect.Effect<Handle<P, S, F, R>, E, RX>) =>
      Layer.effect(
        key,
        Effect.gen(function* () {
          const handle = Effect.isEffect(build) ? yield* build : build
          const services = yield* Effect.context<R>()
          const work = (payload: P, attempt: RunningAttempt) =>
            Effect.scoped(
              Effect.updateContext(handle(payload, attempt), (own: Context.Context<Scope.Scope>) =>
                within(own, services)
              )
            )
          return (task: VenomTask, attempt: AttemptHandle) =>
            payloads.fromText(task.content).pipe(
              Effect.mapError((issues) => {
                const { issues: told } = asContent(issues)
                return rejected(`The content is none of type ${name}: ${InputIssues.summary(told)}`)
              }),
              Effect.flatMap((payload) =>
                work(payload, { ...attempt, task }).pipe(
                  Effect.catch((error) =>
                    Effect.flatMap(
                      error instanceof TaskFailure ? Effect.succeed(error) : failureOf(error, task.attempt),
                      Effect.fail
                    )
                  ),
                  Effect.flatMap((result) =>
                    reading.success.toText(result).pipe(
                      Effect.mapError((issues) => `it returned no result of ${name}: ${InputIssues.summary(issues)}`),
                      // a bug of the handler likewise
                      Effect.orDie
                    )
                  )
                )
              )
            )
        })
      ),
    handler: key
  }
}

/** The services of an application, for an attempt: its scope, its log and its span are its own. */
const within = <R>(
  attempt: Context.Context<Scope.Scope>,
  services: Context.Context<R>
): Context.Context<R | Scope.Scope> => {
  const span = Context.getOption(attempt, Tracer.ParentSpan)
  const all = Context.merge(attempt, services).pipe(
    Context.add(Scope.Scope, Context.get(attempt, Scope.Scope)),
    Context.add(References.CurrentLogAnnotations, Context.get(attempt, References.CurrentLogAnnotations)),
    Context.add(References.CurrentLogSpans, Context.get(attempt, References.CurrentLogSpans))
  )
  return Option.isSome(span) ? Context.add(all, Tracer.ParentSpan, span.value) : all
}

const defaultsOf = <P, S, F>(options: Options<P, S, F>): TypeDefaults => {
  const { backoff, deadline, maxAttempts, priority, retention, tags, timeout } = options
  const defaults: TypeDefaults = {
    ...(priority === undefined ? {} : { priority }),
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    ...(tags === undefined ? {} : { tags }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(backoff === undefined ? {} : { backoff }),
    ...(retention === undefined ? {} : { retention })
  }
  checkTemplate({ content: "", ...defaults })
  return deadline === undefined ? defaults : { ...defaults, deadline: checkDeadline(deadline) }
}

const messageOf = (failure: unknown): string | undefined => {
  if (typeof failure === "string") return failure
  if (typeof failure !== "object" || failure === null || !("message" in failure)) return undefined
  return typeof failure.message === "string" && failure.message !== "" ? failure.message : undefined
}
