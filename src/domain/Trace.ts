import { Context, Effect, Tracer } from "effect"
import * as Traceparent from "./Traceparent.ts"

/** The place that a `traceparent` names. */
export const spanOf = (traceparent: string): Tracer.ExternalSpan | undefined => {
  const [, traceId, spanId, flags] = Traceparent.pattern.exec(traceparent) ?? []
  return traceId === undefined || spanId === undefined || flags === undefined
    ? undefined
    : Tracer.externalSpan({ traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 })
}

const traceparentOf = ({ sampled, spanId, traceId }: Tracer.AnySpan): string | undefined =>
  Traceparent.read(`00-${traceId.padStart(32, "0")}-${spanId}-${sampled ? "01" : "00"}`)

/** The `traceparent` that a submit came with. */
export const Given = Context.Reference<string | undefined>("venom/domain/Trace/Given", {
  defaultValue: () => undefined
})

/** Where this fiber is in a trace that somebody keeps; spans that go nowhere are none. */
export const current: Effect.Effect<string | undefined> = Effect.withFiberSucceed((fiber) => {
  const span = Context.getOrUndefined(fiber.context, Tracer.ParentSpan)
  if (span === undefined) return undefined
  return span._tag === "Span" && fiber.getRef(Tracer.Tracer) === Tracer.nativeTracer ? undefined : traceparentOf(span)
})

/** What a task is to be kept with that is submitted now. */
export const ofSubmit: Effect.Effect<string | undefined> = Effect.withFiber((fiber) => {
  const given = fiber.getRef(Given)
  return given === undefined ? current : Effect.succeed(given)
})
