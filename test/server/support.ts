import { Clock, Deferred, Duration, Effect, Layer, Logger, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpServer } from "effect/http"
import { type IncomingHttpHeaders, request as nodeRequest } from "node:http"
import { connect, type Socket } from "node:net"
import process from "node:process"
import { inject } from "vitest"
import * as MemoryStateRepository from "../../src/adapters/memory/MemoryStateRepository.ts"
import * as ConnectedPostgres from "../../src/adapters/postgres/Connected.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { TaskId, type TaskRequest, type VenomTask } from "../../src/domain/Task.ts"
import * as Engine from "../../src/engine/Engine.ts"
import type { FlowControl } from "../../src/engine/FlowControl.ts"
import { Orchestrator } from "../../src/engine/Orchestrator.ts"
import type { Schedules } from "../../src/engine/Schedules.ts"
import type { Statistics } from "../../src/engine/Statistics.ts"
import type { StorageReport } from "../../src/engine/StorageReport.ts"
import type { TypeCatalog } from "../../src/engine/TypeCatalog.ts"
import * as RandomBytes from "../../src/host/RandomBytes.ts"
import * as Postgres from "../support/Postgres.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { TaskRunner } from "../../src/ports/TaskRunner.ts"
import * as NodeServer from "../../src/server/NodeServer.ts"

/** Never ends: tasks stay PROCESSING. */
export const idleRunner = Layer.succeed(TaskRunner, TaskRunner.of({ run: () => Effect.never }))

export const echoRunner = Layer.succeed(TaskRunner, TaskRunner.of({ run: (task) => Effect.succeed(task.content) }))

interface Options {
  readonly server?: Partial<NodeServer.Options>
  readonly memory?: MemoryStateRepository.MemoryOptions
  readonly repository?: Layer.Layer<StateRepository>
  readonly runner?: Layer.Layer<TaskRunner>
  /** Silent without. */
  readonly loggers?: ReadonlyArray<Logger.Logger<unknown, unknown>>
  /** Puts something else in the place of the engine's own orchestrator. */
  readonly orchestrator?: (own: Orchestrator["Service"]) => Partial<Orchestrator["Service"]>
  /** In the place of the engine's own. */
  readonly others?: Layer.Layer<FlowControl | Schedules | TypeCatalog | Statistics | StorageReport>
}

let databases = 0

/** As it is where no test sets it. */
const realClock = Layer.succeed(Clock.Clock, Clock.Clock.defaultValue())

/** In memory; where tests run on PostgreSQL, and nothing is to be there, in a database of its own. */
const usual = (options: MemoryStateRepository.MemoryOptions | undefined): Layer.Layer<StateRepository> => {
  const port = inject("postgresPort")
  if (port === undefined || options !== undefined) return MemoryStateRepository.layer(options)
  const fresh = Effect.suspend(() =>
    Postgres.databaseNamed(port, `s${process.pid}_${performance.now() | 0}_${++databases}`)
  )
  const connected = Layer.unwrap(
    Effect.map(fresh, (url) => Layer.orDie(ConnectedPostgres.layer({ url, concurrency: 64 })))
  )
  // without the clock of the database: a test may have set its own
  return Layer.effect(StateRepository, StateRepository).pipe(
    Layer.provide(connected),
    Layer.provide(Layer.merge(RandomBytes.layer, realClock))
  )
}

/** Venom on a free port, all in memory. */
export const served = (options: Options = {}) => {
  const engine = Engine.layer.pipe(
    Layer.provideMerge(options.repository ?? usual(options.memory)),
    Layer.provide(options.runner ?? idleRunner)
  )
  const { orchestrator } = options
  const changed =
    orchestrator === undefined
      ? Layer.empty
      : Layer.effect(
          Orchestrator,
          Effect.map(Orchestrator, (own) => ({ ...own, ...orchestrator(own) }))
        )
  return NodeServer.layer({ port: 0, closeGrace: Duration.zero, ...options.server }).pipe(
    Layer.provideMerge(Layer.provideMerge(Layer.merge(changed, options.others ?? Layer.empty), engine)),
    Layer.provideMerge(SecureRandom.layerWebCrypto),
    Layer.provide(Logger.layer(options.loggers ?? []))
  )
}

/** A repository that says when a task arrives, and takes it only when it may. */
export const watched = Effect.gen(function* () {
  const arrived = yield* Deferred.make<void>()
  const taken = yield* Deferred.make<void>()
  const mayGoOn = yield* Deferred.make<void>()
  const repository = Layer.effect(
    StateRepository,
    Effect.map(StateRepository, (memory) => ({
      ...memory,
      insert: (all: Parameters<typeof memory.insert>[0]) =>
        Deferred.succeed(arrived, undefined).pipe(
          Effect.andThen(Deferred.await(mayGoOn)),
          Effect.andThen(memory.insert(all)),
          Effect.tap(Deferred.succeed(taken, undefined))
        )
    }))
  ).pipe(Layer.provide(MemoryStateRepository.layer()))
  return { arrived, taken, mayGoOn, repository }
})

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Asked {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export const port = Effect.flatMap(HttpServer.HttpServer, ({ address }) =>
  "port" in address ? Effect.succeed(address.port) : Effect.die("not on a port")
)

/** One request on a connection of its own. */
export const ask = ({ body, headers = {}, method = "GET", path = "/" }: Asked) =>
  Effect.flatMap(port, (at) =>
    Effect.callback<Answer, Error>((resume) => {
      const request = nodeRequest({ port: at, host: "127.0.0.1", method, path, headers, agent: false }, (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.on("error", (error) => resume(Effect.fail(error)))
        response.on("end", () =>
          resume(
            Effect.succeed({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: Buffer.concat(chunks).toString("utf8")
            })
          )
        )
      })
      request.on("error", (error) => resume(Effect.fail(error)))
      request.end(body)
      return Effect.sync(() => request.destroy())
    })
  )

export const get = (path: string, headers?: Readonly<Record<string, string>>) =>
  ask({ path, ...(headers === undefined ? {} : { headers }) })

/** Until an attempt of a task runs: where the store is elsewhere, that is a moment after its submit. */
export const running = (id: string): Effect.Effect<void, Error, HttpServer.HttpServer> =>
  Effect.flatMap(get(`/api/v1/tasks/${id}`), ({ text }) =>
    text.includes('"status":"PENDING"') ? Effect.andThen(Effect.yieldNow, running(id)) : Effect.void
  )

export const post = (body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}) =>
  ask({ method: "POST", path: "/api/v1/tasks", body, headers: { "content-type": "application/json", ...headers } })

export const submit = (request: Readonly<Record<string, unknown>>) => post(JSON.stringify(request))

/** Writes bytes to the port and gives all that comes back until the server ends the connection. */
export const raw = (bytes: string | Uint8Array) =>
  Effect.flatMap(port, (at) =>
    Effect.callback<string, Error>((resume) => {
      const chunks: Array<Buffer> = []
      const socket = connect(at, "127.0.0.1", () => socket.write(bytes))
      socket.on("data", (chunk: Buffer) => chunks.push(chunk))
      socket.on("error", (error) => resume(Effect.fail(error)))
      socket.on("close", () => resume(Effect.succeed(Buffer.concat(chunks).toString("latin1"))))
      return Effect.sync(() => socket.destroy())
    })
  )

/** A connection that stays open until the scope ends. */
export const open = Effect.flatMap(port, (at) =>
  Effect.acquireRelease(
    Effect.callback<Socket, Error>((resume) => {
      const socket = connect(at, "127.0.0.1", () => resume(Effect.succeed(socket)))
      socket.on("error", (error) => resume(Effect.fail(error)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
)

const Problem = Schema.Struct({
  type: Schema.String,
  title: Schema.String,
  status: Schema.Int,
  detail: Schema.String,
  instance: Schema.optionalKey(Schema.String),
  errors: Schema.optionalKey(Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String }))),
  task_id: Schema.optionalKey(Schema.String),
  schedule: Schema.optionalKey(Schema.String),
  task_status: Schema.optionalKey(Schema.String),
  matched: Schema.optionalKey(Schema.Int),
  error_id: Schema.optionalKey(Schema.String)
})

/** The problem document in an answer; dies when it is none, or not like every other one. */
export const problemOf = (answer: Answer) =>
  Effect.gen(function* () {
    const problem = yield* Schema.decodeUnknownEffect(Schema.fromJsonString(Problem), { onExcessProperty: "error" })(
      answer.text
    )
    const expected = {
      "content-type": "application/problem+json",
      "content-length": String(Buffer.byteLength(answer.text)),
      "cache-control": "no-store",
      "x-content-type-options": "nosniff"
    }
    for (const [name, value] of Object.entries(expected)) {
      if (answer.headers[name] !== value) return yield* Effect.die(`${name} is ${String(answer.headers[name])}`)
    }
    if (problem.status !== answer.status) return yield* Effect.die(`status ${problem.status} in a ${answer.status}`)
    return problem
  }).pipe(Effect.orDie)

/** An answer out of the bytes of a connection. */
export const answerOf = (bytes: string): Answer => {
  const [head = "", ...rest] = bytes.split("\r\n\r\n")
  const [statusLine = "", ...lines] = head.split("\r\n")
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":")
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  return { status: Number(statusLine.split(" ")[1]), headers: Object.fromEntries(headers), text: rest.join("\r\n\r\n") }
}

export const json = (answer: Answer) =>
  Effect.orDie(Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Unknown))(answer.text))

export const submitted = Schema.decodeUnknownEffect(
  Schema.fromJsonString(Schema.Struct({ task_id: TaskId, status: Schema.Literal("PENDING") }))
)

const toTaskId = Schema.decodeSync(TaskId)

/** Tasks as if submitted one after the other, oldest first. */
export const tasks = (count: number, request: (index: number) => TaskRequest): ReadonlyArray<VenomTask> =>
  Array.from({ length: count }, (_, index) =>
    Lifecycle.submit(request(index), {
      id: toTaskId(`0198c0de-0000-7000-8000-${index.toString(16).padStart(12, "0")}`),
      now: 1_700_000_000_000 + index,
      maxAttempts: 3
    })
  )
