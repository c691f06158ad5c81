import { Effect, Record, Schema } from "effect"
import * as Span from "./Span.ts"
import { ConcurrencyKey, TaskType } from "./Task.ts"

const most = (limit: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: limit }))

/** Attempts that may run at once. */
const Concurrency = most(100_000)

/** At most `limit` attempts begin within any time that is `per` long. */
export const Rate = Schema.Struct({
  limit: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 })),
  per: Span.between("10 millis", "1 day")
}).annotate({ identifier: "Rate" })
export type Rate = typeof Rate.Type

export const TypeFlow = Schema.Struct({
  paused: Schema.optionalKey(Schema.Boolean),
  concurrency: Schema.optionalKey(Concurrency),
  rate: Schema.optionalKey(Rate)
}).annotate({ identifier: "TypeFlow" })
export type TypeFlow = typeof TypeFlow.Type

/**
 * What holds back tasks that are due. It is part of the state: a pause or a limit stands until it is lifted, whatever
 * restarts. No entry for a type or a key is no limit.
 */
export const Flow = Schema.Struct({
  /** Nothing is claimed. */
  paused: Schema.Boolean,
  /** Attempts that run at once, of all types and keys; the process has its own limit besides. */
  concurrency: Schema.optionalKey(Concurrency),
  types: Schema.Record(TaskType, TypeFlow),
  /** For each `concurrency_key`. */
  keys: Schema.Record(ConcurrencyKey, Schema.Struct({ concurrency: Concurrency })),
  /** For every `concurrency_key` that `keys` does not name. */
  eachKey: Schema.optionalKey(Concurrency)
})
  .pipe(Schema.encodeKeys({ eachKey: "each_key" }))
  .annotate({ identifier: "Flow" })
export type Flow = typeof Flow.Type

/** The limits without the pauses, as they are set and shown. */
export const Limits = Schema.Struct({
  concurrency: Schema.optionalKey(Concurrency.annotate({ description: "Of all attempts that run at once" })),
  types: Schema.Record(
    TaskType,
    Schema.Struct({ concurrency: Schema.optionalKey(Concurrency), rate: Schema.optionalKey(Rate) })
  ).pipe(Schema.withDecodingDefaultKey(Effect.succeed({}))),
  keys: Schema.Record(ConcurrencyKey, Schema.Struct({ concurrency: Concurrency })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed({}))
  ),
  eachKey: Schema.optionalKey(Concurrency.annotate({ description: "Of each key that `keys` does not name" }))
})
  .pipe(Schema.encodeKeys({ eachKey: "each_key" }))
  .annotate({ identifier: "Limits" })
  .pipe(Schema.annotateEncoded({ identifier: "Limits" }))
export type Limits = typeof Limits.Type

/** Nothing is held back. */
export const free: Flow = { paused: false, types: {}, keys: {} }

/** Whether nothing can be held back. */
export const isFree = ({ concurrency, eachKey, keys, paused, types }: Flow): boolean =>
  !paused && concurrency === undefined && eachKey === undefined && isEmpty(types) && isEmpty(keys)

/** Attempts of a type that may run at once. */
export type TypeLimits = Readonly<Record<string, number>>

/** The flow, held to limits besides. */
export const within = (flow: Flow, limits: TypeLimits): Flow =>
  isEmpty(limits)
    ? flow
    : {
        ...flow,
        types: {
          ...flow.types,
          ...Record.map(limits, (limit, type) => ({
            ...flow.types[type],
            concurrency: Math.min(limit, flow.types[type]?.concurrency ?? limit)
          }))
        }
      }

const isEmpty = (named: object): boolean => {
  for (const _ in named) return false
  return true
}

/** How many attempts of a key may run at once; infinite without a limit. */
export const limitOfKey = (flow: Flow, key: string): number =>
  flow.keys[key]?.concurrency ?? flow.eachKey ?? Number.POSITIVE_INFINITY

/** How many attempts of a type may run at once; none while it is paused. */
export const limitOfType = (flow: Flow, type: string): number => {
  const { concurrency = Number.POSITIVE_INFINITY, paused = false } = flow.types[type] ?? {}
  return paused ? 0 : concurrency
}
