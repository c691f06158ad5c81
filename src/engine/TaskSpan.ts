import { Clock, Effect, Exit, Tracer } from "effect"
import type { VenomTask } from "../domain/Task.ts"
import * as Trace from "../domain/Trace.ts"

/** How what a span is about has ended: in a word, and whether that is a failure. */
export interface End {
  readonly outcome: string
  readonly isFailure: boolean
}

/** Tells how it ended. */
export type Tell = (end: End) => Effect.Effect<void>

const unheard: Tell = () => Effect.void

/**
 * Puts a span around work for a task: the root of a trace of its own that links to the span in which the task was
 * submitted. A link and no parent, as OpenTelemetry has it for messages: a task may wait for days and be tried often,
 * and a trace that is still open then would never be whole.
 *
 * Of the task its id, its type and numbers are told. Nothing that a client or a runner has written gets into a span.
 *
 * Where nothing traces there is no span, and what the task came with is handed on as it is.
 */
export const make = Effect.map(Effect.tracer, (tracer) => {
  const isTraced = tracer !== Tracer.nativeTracer
  return <A>(
    task: VenomTask,
    options: {
      readonly operation: string
      readonly kind: Tracer.SpanKind
      readonly attributes: Readonly<Record<string, unknown>>
    },
    work: (tell: Tell) => Effect.Effect<A>
  ): Effect.Effect<A> => {
    const submitted = task.traceparent === undefined ? undefined : Trace.spanOf(task.traceparent)
    if (!isTraced) {
      return submitted === undefined ? work(unheard) : Effect.withParentSpan(work(unheard), submitted)
    }
    return Effect.useSpan(
      `${options.operation} ${task.type}`,
      {
        root: true,
        kind: options.kind,
        links: submitted === undefined ? [] : [{ span: submitted, attributes: {} }],
        // who did not want the submit to be recorded does not want this
        sampled: submitted?.sampled ?? true,
        attributes: {
          "messaging.system": "venom",
          "messaging.operation.name": options.operation,
          "messaging.destination.name": task.type,
          "messaging.message.id": task.id,
          ...options.attributes
        }
      },
      (span) => Effect.withParentSpan(work(tellOf(span)), span, { captureStackTrace: false })
    )
  }
})

const tellOf =
  (span: Tracer.Span): Tell =>
  ({ isFailure, outcome }) =>
    Effect.map(Clock.currentTimeNanos, (now) => {
      span.attribute("venom.outcome", outcome)
      if (isFailure) span.attribute("error.type", outcome)
      span.end(now, isFailure ? Exit.fail(outcome) : Exit.void)
    })
