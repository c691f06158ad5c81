import { Context, Duration, Effect, Formatter, Latch, Layer, Logger, Option, Stream, Tracer } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpServer, HttpServerRequest } from "effect/http"
import { connect } from "node:net"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import { TaskId, type TaskRequest, type VenomTask } from "../../../src/domain/Task.ts"
import { TaskNotFound } from "../../../src/domain/TaskError.ts"
import { ServiceDraining } from "../../../src/engine/Draining.ts"
import { FlowControl } from "../../../src/engine/FlowControl.ts"
import { Orchestrator } from "../../../src/engine/Orchestrator.ts"
import { Metrics } from "../../../src/engine/Metrics.ts"
import { Statistics } from "../../../src/engine/Statistics.ts"
import { StorageReport } from "../../../src/engine/StorageReport.ts"
import { Nodes } from "../../../src/engine/Nodes.ts"
import { Schedules } from "../../../src/engine/Schedules.ts"
import { TypeCatalog } from "../../../src/engine/TypeCatalog.ts"
import { QueueFull, StorageError, StorageFull } from "../../../src/ports/StorageError.ts"
import * as NodeServer from "../../../src/server/NodeServer.ts"
import { ids, type refused } from "./Asked.ts"

type Asks = Orchestrator["Service"]

const storage = new StorageError({ reason: "the disk is full", cause: new Error("ENOSPC") })

const refusals: Readonly<Record<(typeof refused)[number], ReturnType<Asks["submit"]>>> = {
  storage: Effect.fail(storage),
  space: Effect.fail(new StorageFull({ free: 1, needed: 2 })),
  full: Effect.fail(new QueueFull({ limit: 1, of: "unfinished tasks" })),
  draining: Effect.fail(new ServiceDraining()),
  defect: Effect.die(new Error("no engine"))
}

const taskOf = (id: TaskId, request: TaskRequest): VenomTask =>
  Lifecycle.submit(request, { id, now: 1_800_000_000_000, maxAttempts: 3 })

const submit: Asks["submit"] = (request) => {
  if ("copyOf" in request) return Effect.fail(new TaskNotFound({ taskId: request.copyOf }))
  const refusal = Object.entries(refusals).find(([content]) => content === request.content)?.[1]
  return refusal ?? Effect.succeed(taskOf(TaskId.make("0198c0de-0000-7000-8000-000000000009"), request))
}

const get: Asks["get"] = (id) => {
  const waiting = taskOf(id, { content: "a", type: "mail", tags: ["b"] })
  switch (id) {
    case ids.waiting:
      return Effect.succeed(waiting)
    case ids.finished:
      return Effect.succeed({ ...waiting, content: "aé€😀\ud800\u2028", status: "COMPLETED", revision: 7 })
    case ids.late:
      return Effect.as(Effect.yieldNow, waiting)
    case ids.unreadable:
      return Effect.fail(storage)
    case ids.defect:
      return Effect.die(new Error("no engine"))
    default:
      return Effect.fail(new TaskNotFound({ taskId: id }))
  }
}

export interface Way {
  readonly port: number
  /** What its engine has been asked. */
  readonly asked: ReadonlyArray<readonly [string, unknown]>
  /** Whether the one before was asked without the library's request at hand. */
  readonly wasShort: () => boolean
  readonly logged: ReadonlyArray<string>
}

/** Nobody asks for it here. */
const dies = Effect.die("not here")
const nothingElse = Layer.mergeAll(
  Layer.succeed(TypeCatalog, { registered: [], list: dies }),
  Layer.succeed(Nodes, { list: dies }),
  Layer.succeed(Metrics, { refresh: Effect.void }),
  Layer.succeed(Statistics, { lastHour: dies, savedAt: dies }),
  Layer.succeed(StorageReport, { report: dies }),
  Layer.succeed(FlowControl, {
    state: dies,
    pause: () => dies,
    resume: () => dies,
    limits: dies,
    setLimits: () => dies
  }),
  Layer.effect(
    Schedules,
    Effect.map(Latch.make(true), (changed) => ({
      list: dies,
      get: () => dies,
      put: () => dies,
      remove: () => dies,
      changed
    }))
  )
)

/** An application's own, for which the short way makes room. */
const tracer = Tracer.make({ span: (options) => new Tracer.NativeSpan(options) })

/** The server over an engine without a memory: every way gives the same answers to the same questions. */
export const open = Effect.fnUntraced(function* (
  kind: "short" | "ordinary",
  own: Partial<Asks> = {},
  options: Partial<NodeServer.Options> = {}
) {
  const asked: Array<readonly [string, unknown]> = []
  const logged: Array<string> = []
  let short = false
  const noted = <A, E>(what: string, input: unknown, answer: Effect.Effect<A, E>) =>
    Effect.flatMap(Effect.serviceOption(HttpServerRequest.HttpServerRequest), (request) => {
      asked.push([what, input])
      short = Option.isNone(request)
      return answer
    })
  const engine = Orchestrator.of({
    submit: (request) => noted("submit", request, (own.submit ?? submit)(request)),
    get: (id) => noted("get", id, (own.get ?? get)(id)),
    page: () => Effect.succeed({ tasks: [], more: false }),
    list: () => Stream.empty,
    follow: () => Effect.die("not here"),
    followTask: () => Effect.die("not here"),
    awaitFinal: () => Effect.die("not here"),
    submitOnce: (key, request) =>
      Effect.map(noted("submitOnce", [key, request], submit(request)), (task) => ({ task, replayed: key === "old" })),
    submitAll: () => Effect.die("not here"),
    submitAllOnce: () => Effect.die("not here"),
    cancel: (taskId) => Effect.fail(new TaskNotFound({ taskId })),
    retry: (taskId) => Effect.fail(new TaskNotFound({ taskId })),
    remove: (taskId) => Effect.fail(new TaskNotFound({ taskId })),
    cancelAll: () => Effect.die("not here"),
    retryAll: () => Effect.die("not here"),
    removeAll: () => Effect.die("not here"),
    why: (taskId) => Effect.fail(new TaskNotFound({ taskId })),
    readiness: Effect.succeed([])
  })
  const logger = Logger.make(({ logLevel, message }) => {
    const line = `${logLevel} ${Formatter.format(message)}`
    // the test's clock stands still for those who would wait
    if (!line.includes("A test is using time")) logged.push(line)
  })
  const context = yield* Layer.build(
    NodeServer.layer({ port: 0, closeGrace: Duration.zero, ...options }).pipe(
      Layer.provide(Layer.succeed(Orchestrator, engine)),
      Layer.provide(nothingElse),
      Layer.provide(SecureRandom.layerWebCrypto),
      Layer.provide(Logger.layer([logger])),
      Layer.provide(kind === "ordinary" ? Layer.succeed(Tracer.Tracer, tracer) : Layer.empty)
    )
  )
  const { address } = Context.get(context, HttpServer.HttpServer)
  const way: Way = { port: "port" in address ? address.port : 0, asked, logged, wasShort: () => short }
  return way
})

/** Sends the pieces one after another, and gives what comes back: until the connection ends, or `enough` is there. */
export const send = (way: Way, pieces: ReadonlyArray<Uint8Array>, enough?: RegExp): Effect.Effect<string, Error> =>
  Effect.callback((resume) => {
    let text = ""
    const socket = connect(way.port, "127.0.0.1", () => sendNext(0))
    const sendNext = (index: number) => {
      const piece = pieces[index]
      // a turn of the loop in between, so that each is read alone
      if (piece !== undefined) socket.write(piece, () => setImmediate(sendNext, index + 1))
    }
    const done = () => resume(Effect.succeed(text))
    socket.setNoDelay(true)
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1")
      if (enough?.test(text) === true) done()
    })
    socket.on("close", done)
    // an answer may come before all has been sent
    socket.on("error", done)
    return Effect.sync(() => socket.destroy())
  })

/** An answer without what differs between any two. */
export const timeless = (text: string): string =>
  text.replaceAll(/^Date: .*$/gm, "Date: now").replaceAll(/"error_id":"[^"]*"/g, `"error_id":"some"`)
