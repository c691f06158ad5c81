import { type Cause, Clock, Context, Effect, Exit, Fiber, Layer, type Scope, Tracer } from "effect"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import process from "node:process"
import type { TaskId, VenomTask } from "../domain/Task.ts"
import { Orchestrator } from "../engine/Orchestrator.ts"
import { Access } from "./Access.ts"
import * as AskedAlready from "./AskedAlready.ts"
import { cameWith } from "./CameWith.ts"
import { headers as always } from "./JsonResponse.ts"
import * as PlainBody from "./PlainBody.ts"
import * as PlainRequest from "./PlainRequest.ts"
import { ServerSettings } from "./ServerSettings.ts"
import { isSlow, ServiceLog } from "./ServiceLog.ts"
import * as TaskAnswer from "./TaskAnswer.ts"

/** Owns what runs for the requests under way. It closes after the server has stopped: until then they may finish. */
export class UnderWay extends Context.Service<UnderWay, Scope.Scope>()("venom/server/ShortWay/UnderWay") {
  static readonly layer = Layer.effect(UnderWay, Effect.scope)
}

/**
 * The two requests that a queue gets without end, a task submitted and a task read, answered with nothing
 * between Node and the engine.
 *
 * Only what is plain in every respect and ends well is answered here. Everything else goes the ordinary way,
 * and what the engine has refused by then is told there. What a client sees is the same on both ways, to the
 * byte: a test compares them.
 */
export const layer = (server: Server) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const [ordinary] = server.listeners("request")
      // an application that traces wants to see every request
      if (ordinary === undefined || (yield* Effect.tracer) !== Tracer.nativeTracer) return
      const orchestrator = yield* Orchestrator
      const log = yield* ServiceLog
      const clock = yield* Clock.Clock
      const underWay = yield* UnderWay
      const run = Effect.runForkWith(yield* Effect.context())
      const plain = PlainRequest.make(yield* ServerSettings, yield* Access)

      /** Gives what the fiber ends with to `act`: now, if it has ended. */
      const whenEnded = <A, E>(
        fiber: Fiber.Fiber<A, E>,
        request: IncomingMessage,
        act: (exit: Exit.Exit<A, E>) => void
      ): void => {
        const exit = fiber.pollUnsafe()
        if (exit !== undefined) return act(exit)
        const begun = clock.currentTimeNanosUnsafe()
        Fiber.runIn(fiber, underWay).addObserver((exit) => {
          const millis = Number((clock.currentTimeNanosUnsafe() - begun) / 1_000_000n)
          if (isSlow(millis))
            run(log.slow({ method: request.method ?? "", url: request.url ?? "", source: request }, millis))
          act(exit)
        })
      }

      const tellWhyNot = (
        request: IncomingMessage,
        response: ServerResponse,
        cause: Cause.Cause<AskedAlready.Failure>
      ): void => {
        AskedAlready.remember(request, cause)
        ordinary(request, response)
      }

      const read = (request: IncomingMessage, response: ServerResponse, id: TaskId): void => {
        const fiber = run(orchestrator.get(id))
        whenEnded(fiber, request, (exit) => {
          if (Exit.isSuccess(exit)) found(response, exit.value)
          else if (!response.destroyed) tellWhyNot(request, response, exit.cause)
        })
        if (fiber.pollUnsafe() === undefined) response.once("close", () => fiber.interruptUnsafe())
      }

      const submit = (request: IncomingMessage, response: ServerResponse): void => {
        const bytes: unknown = isWhole(request) ? request.read() : null
        if (!Buffer.isBuffer(bytes)) return ordinary(request, response)
        const task = PlainBody.read(bytes)
        if (task === undefined) {
          request.unshift(bytes)
          return ordinary(request, response)
        }
        // a client that hangs up does not take back what it has sent
        const fiber = run(cameWith(request.headers["traceparent"], orchestrator.submit(task)), {
          uninterruptible: true
        })
        whenEnded(fiber, request, (exit) => {
          if (Exit.isSuccess(exit)) submitted(response, exit.value)
          else tellWhyNot(request, response, exit.cause)
        })
      }

      /** A body comes with its headers, or in one piece after them; one that does neither is not plain. */
      const submitWithBody = (request: IncomingMessage, response: ServerResponse): void => {
        if (isWhole(request)) submit(request, response)
        else request.once("readable", () => submit(request, response))
      }

      server.off("request", ordinary)
      server.on("request", (request, response) => {
        // what came with the headers is there on the next tick
        if (plain.isSubmit(request)) return process.nextTick(submitWithBody, request, response)
        const id = plain.idToRead(request)
        return id === undefined ? ordinary(request, response) : read(request, response, id)
      })
    })
  )

/** Whether all of the body has arrived. */
const isWhole = ({ headers, readableLength }: IncomingMessage): boolean =>
  readableLength === Number(headers["content-length"])

const submitted = (response: ServerResponse, { id, status }: VenomTask): void =>
  answer(response, 201, { location: `${PlainRequest.tasks}/${id}` }, `{"task_id":"${id}","status":"${status}"}`)

const found = (response: ServerResponse, task: VenomTask): void =>
  answer(response, 200, TaskAnswer.headers(task), TaskAnswer.text(task))

const answer = (
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string
): void => {
  // nobody is left to answer
  if (response.destroyed) return
  response.writeHead(status, {
    ...always,
    ...headers,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text)
  })
  response.end(text)
}
