import { Clock, Context, Effect, Layer, Option, Record, Struct } from "effect"
import type { Flow, Limits, TypeFlow } from "../domain/Flow.ts"
import type { Instant, TaskStatus } from "../domain/Task.ts"
import { StateRepository } from "../ports/StateRepository.ts"
import type { StorageError } from "../ports/StorageError.ts"
import { Dispatcher } from "./Dispatcher.ts"
import { EngineSettings } from "./EngineSettings.ts"

/** Types that are told one by one. */
const mostTypes = 1000

/** What stands where, and what holds it back. */
export interface QueueState {
  readonly paused: boolean
  readonly counts: Readonly<Record<TaskStatus, number>>
  readonly types: ReadonlyArray<{
    readonly type: string
    readonly paused: boolean
    readonly counts: Readonly<Record<TaskStatus, number>>
  }>
  /** When the task was due that has been due for longest. */
  readonly oldestDue: Instant | null
  /** Attempts of this process, and as many as it may run. */
  readonly running: number
  readonly limit: number
}

/** The use cases: what the outside may hold back. What is set stands until it is changed, whatever restarts. */
export class FlowControl extends Context.Service<
  FlowControl,
  {
    readonly state: Effect.Effect<QueueState, StorageError>
    /** Nothing more of the type, or of all, begins once this has returned. What runs goes on. */
    readonly pause: (type?: string) => Effect.Effect<QueueState, StorageError>
    readonly resume: (type?: string) => Effect.Effect<QueueState, StorageError>
    readonly limits: Effect.Effect<Limits, StorageError>
    /** In place of all limits until now; what is paused stays so. */
    readonly setLimits: (limits: Limits) => Effect.Effect<Limits, StorageError>
  }
>()("venom/engine/FlowControl") {
  static readonly layer = Layer.effect(
    FlowControl,
    Effect.gen(function* () {
      const repository = yield* StateRepository
      const dispatcher = yield* Dispatcher
      const { concurrency } = yield* EngineSettings
      const state = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        // before the numbers are read: what runs is in them then
        const running = yield* dispatcher.running
        const flow = yield* repository.flow
        const { oldestDue, statuses, types } = yield* repository.queueCounts({ now, types: mostTypes })
        return {
          paused: flow.paused,
          counts: statuses,
          types: types.map(({ statuses, type }) => ({
            type,
            paused: flow.types[type]?.paused ?? false,
            counts: statuses
          })),
          oldestDue: Option.getOrNull(oldestDue),
          running,
          limit: Math.min(concurrency, flow.concurrency ?? concurrency)
        }
      })

      const setPaused = (type: string | undefined, paused: boolean) =>
        Effect.andThen(
          repository.updateFlow((flow) =>
            type === undefined ? { ...flow, paused } : withPausedType(flow, type, paused)
          ),
          state
        )

      return FlowControl.of({
        state,
        pause: Effect.fn("FlowControl.pause")((type) => setPaused(type, true)),
        resume: Effect.fn("FlowControl.resume")((type) => setPaused(type, false)),
        limits: Effect.map(repository.flow, limitsOf),
        setLimits: Effect.fn("FlowControl.setLimits")((limits) =>
          Effect.map(
            repository.updateFlow((flow) => withLimits(flow, limits)),
            limitsOf
          )
        )
      })
    })
  )
}

const isEmpty = (limits: TypeFlow): boolean =>
  limits.concurrency === undefined && limits.rate === undefined && limits.paused !== true

const withPausedType = (flow: Flow, type: string, paused: boolean): Flow => {
  const limits = Struct.omit(flow.types[type] ?? {}, ["paused"])
  const others = Record.remove(flow.types, type)
  const own: TypeFlow = paused ? { ...limits, paused } : limits
  return { ...flow, types: isEmpty(own) ? others : { ...others, [type]: own } }
}

const limitsOf = ({ concurrency, eachKey, keys, types }: Flow): Limits => ({
  ...(concurrency === undefined ? {} : { concurrency }),
  types: Record.filter(
    Record.map(types, (type) => Struct.omit(type, ["paused"])),
    (limits) => !isEmpty(limits)
  ),
  keys,
  ...(eachKey === undefined ? {} : { eachKey })
})

const withLimits = (flow: Flow, limits: Limits): Flow => {
  const paused = Object.entries(flow.types).flatMap(([type, { paused }]) => (paused === true ? [type] : []))
  const types: { [type: string]: TypeFlow } = { ...limits.types }
  for (const type of paused) types[type] = { ...types[type], paused: true }
  return { paused: flow.paused, ...limits, types }
}
