import { Clock, Context, Effect, Layer, Metric, Stream } from "effect"
import type { TaskStatus, VenomTask } from "../domain/Task.ts"
import { isFinished } from "../domain/Task.ts"
import { type Change, StateRepository } from "../ports/StateRepository.ts"
import { FlowControl } from "./FlowControl.ts"

/** Types with series of their own; tasks of all others count as `other`. */
const mostTypes = 100
const otherType = "other"

/** From a millisecond to an hour. */
const seconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600]

const submitted = Metric.counter("venom_tasks_submitted_total", { description: "Tasks submitted", incremental: true })

const waitSeconds = Metric.histogram("venom_queue_wait_seconds", {
  description: "From when a task was due until an attempt began",
  boundaries: seconds
})

const runSeconds = Metric.histogram("venom_task_run_seconds", {
  description: "From the beginning of an attempt to its end",
  boundaries: seconds
})

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
  paused: Metric.gauge("venom_queue_paused", { description: "1 where the whole queue is paused" })
}

const counter = (name: string, description: string) => {
  const known = new Map<string, Metric.Counter<number>>()
  return (type: string, outcome: string): Metric.Counter<number> => {
    const key = `${outcome} ${type}`
    const found = known.get(key)
    if (found !== undefined) return found
    const made = Metric.counter(name, { description, incremental: true, attributes: { outcome, type } })
    known.set(key, made)
    return made
  }
}

/** The first hundred types that come, each under its name. */
const labels = () => {
  const named = new Set<string>()
  return (type: string): string => {
    if (named.has(type)) return type
    if (named.size >= mostTypes) return otherType
    named.add(type)
    return type
  }
}

/** How the attempt ended that a change from PROCESSING has ended. */
const endedBy = (attempt: number, { attempts }: VenomTask) => {
  const last = attempts.at(-1)
  if (last?.attempt !== attempt || last.outcome === null || last.finishedAt === null) return undefined
  return { outcome: last.outcome, millis: last.finishedAt - last.startedAt }
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
      const context = yield* Effect.context()
      const labelOf = labels()
      const attempts = counter("venom_attempts_total", "Attempts that have ended, by how")
      const finished = counter("venom_tasks_finished_total", "Tasks that have ended, by how")

      const count = ({ after, before, task }: Change): void => {
        if (after === undefined) return
        if (before === undefined) return submitted.updateUnsafe(1, context)
        if (before.status === after.status) return
        const type = labelOf(after.type)
        if (isFinished(after) && !isFinished(before))
          finished(type, after.failure?.reason ?? "completed").updateUnsafe(1, context)
        if (task === undefined) return
        if (after.status === "PROCESSING") {
          const due = Math.max(before.runAt, task.createdAt)
          waitSeconds.updateUnsafe(Math.max(0, (task.startedAt ?? due) - due) / 1000, context)
        }
        const ended = before.status === "PROCESSING" ? endedBy(before.attempt, task) : undefined
        if (ended !== undefined) {
          attempts(type, ended.outcome).updateUnsafe(1, context)
          runSeconds.updateUnsafe(Math.max(0, ended.millis) / 1000, context)
        }
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
        for (const { counts: ofType, type } of state.types.slice(0, mostTypes)) {
          counts.set(type, ofType)
          for (const status of statuses) rest[status] -= ofType[status]
        }
        if (statuses.some((status) => rest[status] > 0)) counts.set(otherType, sumOf(counts.get(otherType), rest))

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

      // what a store that is away cannot tell keeps its last value
      return Metrics.of({ refresh: Effect.ignore(refresh) })
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
