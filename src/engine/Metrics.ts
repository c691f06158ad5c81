import { Clock, Context, Effect, Layer, Metric, Stream } from "effect"
import { isFinished, type TaskStatus } from "../domain/Task.ts"
import { type Change, StateRepository } from "../ports/StateRepository.ts"
import { FlowControl } from "./FlowControl.ts"
import { Orchestrator } from "./Orchestrator.ts"
import * as TypeSeries from "./TypeSeries.ts"

const submitted = Metric.counter("venom_tasks_submitted_total", { description: "Tasks submitted", incremental: true })

export const recovered = Metric.counter("venom_recovered_total", {
  description: "Tasks found running at a start, whose process had died",
  incremental: true
})

const statuses: ReadonlyArray<TaskStatus> = ["PENDING", "PROCESSING", "COMPLETED", "FAILED"]

const gauges = {
  tasks: (type: string, status: TaskStatus) =>
    Metric.gauge("venom_tasks", { description: "Tasks held, by status and type", attributes: { status, type } }),
  oldest: Metric.gauge("venom_queue_oldest_seconds", {
    description: "How long the task has been due that has waited longest; 0 where none waits"
  }),
  running: Metric.gauge("venom_attempts_running", { description: "Attempts running in this process" }),
  limit: Metric.gauge("venom_concurrency_limit", { description: "Attempts that may run at once in this process" }),
  ready: Metric.gauge("venom_ready", { description: "1 where a task would be taken now, as /health/ready says it" }),
  paused: Metric.gauge("venom_queue_paused", { description: "1 where the whole queue is paused" })
}

/**
 * What the engine does, as Effect metrics: in whatever registry the program has, so that an application finds them
 * beside its own. Counts are of what has become durable, since the start of the process.
 */
export class Metrics extends Context.Service<
  Metrics,
  {
    /** Brings up to date what is only read when somebody asks. */
    readonly refresh: Effect.Effect<void>
  }
>()("venom/engine/Metrics") {
  static readonly layer = Layer.effect(
    Metrics,
    Effect.gen(function* () {
      const repository = yield* StateRepository
      const flow = yield* FlowControl
      const { readiness } = yield* Orchestrator
      const context = yield* Effect.context()
      // the first one is an increase too
      submitted.updateUnsafe(0, context)
      const finished = TypeSeries.counter("venom_tasks_finished_total", "Tasks that have ended, by how")

      const count = ({ after, before }: Change): void => {
        if (after === undefined) return
        if (before === undefined) return submitted.updateUnsafe(1, context)
        if (isFinished(after) && !isFinished(before))
          finished(after.type, after.failure?.reason ?? "completed").updateUnsafe(1, context)
      }

      yield* Effect.forkScoped(
        Stream.runForEach(repository.changes, (changes) =>
          Effect.sync(() => {
            for (const change of changes) count(change)
          })
        ),
        { startImmediately: true }
      )

      /** Series of types that have no task any more go with them. */
      let told = new Map<string, Metric.Gauge<number>>()

      const refresh = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const state = yield* flow.state
        const counts = new Map<string, Record<TaskStatus, number>>()
        const rest = { ...state.counts }
        for (const { counts: ofType, type } of state.types.slice(0, TypeSeries.mostTypes)) {
          counts.set(type, ofType)
          for (const status of statuses) rest[status] -= ofType[status]
        }
        if (statuses.some((status) => rest[status] > 0))
          counts.set(TypeSeries.otherType, sumOf(counts.get(TypeSeries.otherType), rest))

        const next = new Map<string, Metric.Gauge<number>>()
        for (const [type, ofType] of counts) {
          for (const status of statuses) {
            const key = `${status} ${type}`
            const gauge = told.get(key) ?? gauges.tasks(type, status)
            gauge.updateUnsafe(ofType[status], context)
            next.set(key, gauge)
          }
        }
        for (const [key, gauge] of told) if (!next.has(key)) Metric.removeUnsafe(gauge, context)
        told = next
        gauges.oldest.updateUnsafe(state.oldestDue === null ? 0 : Math.max(0, now - state.oldestDue) / 1000, context)
        gauges.running.updateUnsafe(state.running, context)
        gauges.limit.updateUnsafe(state.limit, context)
        gauges.paused.updateUnsafe(state.paused ? 1 : 0, context)
      })

      const lookAtReadiness = Effect.map(readiness, (against) =>
        gauges.ready.updateUnsafe(against.length === 0 ? 1 : 0, context)
      )

      // what a store that is away cannot tell keeps its last value
      return Metrics.of({ refresh: Effect.andThen(lookAtReadiness, Effect.ignore(refresh)) })
    })
  )
}

const sumOf = (
  some: Readonly<Record<TaskStatus, number>> | undefined,
  others: Readonly<Record<TaskStatus, number>>
) => ({
  PENDING: (some?.PENDING ?? 0) + others.PENDING,
  PROCESSING: (some?.PROCESSING ?? 0) + others.PROCESSING,
  COMPLETED: (some?.COMPLETED ?? 0) + others.COMPLETED,
  FAILED: (some?.FAILED ?? 0) + others.FAILED
})
