import { Clock, Context, Effect, Layer, Stream } from "effect"
import * as AttemptLine from "../domain/AttemptLine.ts"
import { type FailureReason, type Instant, isFinished, type TaskId, timeOfId, type VenomTask } from "../domain/Task.ts"
import { type Change, StateRepository, type TaskPage } from "../ports/StateRepository.ts"
import type { Durations } from "./Durations.ts"
import { type FailureGroup, FailureGroups } from "./FailureGroups.ts"
import { firstMinute, LastHour, type Minute } from "./LastHour.ts"

/** Seconds. */
export interface Percentiles {
  readonly p50: number
  readonly p95: number
}

export interface MinuteStatistics extends Pick<Minute, "at" | "submitted" | "completed" | "retried"> {
  /** Tasks, by why they failed. */
  readonly failed: Readonly<Partial<Record<FailureReason, number>>>
  /** From when a task was due until an attempt of it began; null where none did. */
  readonly wait: Percentiles | null
  /** How long attempts ran; null where none ended. */
  readonly run: Percentiles | null
}

export interface HourStatistics {
  /** Since then all is counted; of what was before this process began only failures are known. */
  readonly since: Instant
  /** Those in which something happened, the oldest first. */
  readonly minutes: ReadonlyArray<MinuteStatistics>
  readonly failures: ReadonlyArray<FailureGroup>
}

/** Tasks that had failed before the start, the newest, that are looked through for failures of the last hour. */
const mostKnown = 1000

const byEnd = (one: VenomTask, other: VenomTask): number => (one.finishedAt ?? 0) - (other.finishedAt ?? 0)

/** Groups that are told of. */
const mostToldGroups = 50

/** What the last hour brought, and when a change of a task last became durable. Of all nodes, as this one hears of it. */
export class Statistics extends Context.Service<
  Statistics,
  {
    readonly lastHour: Effect.Effect<HourStatistics>
    /** Not before the first change since the start. */
    readonly savedAt: Effect.Effect<Instant | undefined>
  }
>()("venom/engine/Statistics") {
  static readonly layer = Layer.effect(
    Statistics,
    Effect.gen(function* () {
      const repository = yield* StateRepository
      const began = yield* Clock.currentTimeMillis
      const hour = new LastHour()
      const failures = new FailureGroups()
      /** When the attempts began that are running. */
      const started = new Map<TaskId, Instant>()
      let savedAt: Instant | undefined

      const count = ({ after, before, lines, task }: Change, now: Instant): void => {
        if (after === undefined || (before?.status === after.status && before.attempt === after.attempt)) return
        const { id, type } = after
        const line = lines.at(-1) ?? ""
        const at = Math.min(now, task?.updatedAt ?? (AttemptLine.timeOf(line) || now))
        const minute = hour.minuteOf(at)
        if (before === undefined) minute.submitted++
        if (after.status === "PROCESSING") {
          started.set(id, at)
          const due = Math.max(after.runAt, task?.createdAt ?? timeOfId(id))
          minute.wait.add(Math.max(0, at - due) / 1000)
          return
        }
        const begin = started.get(id)
        started.delete(id)
        const retried = after.status === "PENDING" ? AttemptLine.failureIn(line) : undefined
        if (begin !== undefined && (retried !== undefined || isFinished(after))) {
          minute.run.add(Math.max(0, at - begin) / 1000)
        }
        if (after.status === "COMPLETED") minute.completed++
        if (retried !== undefined) minute.retried++
        if (after.failure !== null) {
          minute.failed.set(after.failure.reason, (minute.failed.get(after.failure.reason) ?? 0) + 1)
        }
        const failure = retried ?? after.failure
        if (failure !== null && failure.reason !== "cancelled") {
          failures.add({ id, type, reason: failure.reason, message: failure.message }, at)
        }
      }

      // what failed before the process died is what its operator looks for
      const known = yield* Effect.orElseSucceed(
        repository.page({ status: "FAILED" }, { limit: mostKnown }),
        (): TaskPage => ({ tasks: [], more: false })
      )
      for (const { failure, finishedAt, id, type } of known.tasks.toSorted(byEnd)) {
        if (failure === null || failure.reason === "cancelled") continue
        failures.add({ id, type, reason: failure.reason, message: failure.message }, finishedAt ?? began)
      }

      yield* Effect.forkScoped(
        Stream.runForEach(repository.changes, (changes) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            savedAt = now
            for (const change of changes) count(change, now)
          })
        ),
        { startImmediately: true }
      )

      return Statistics.of({
        savedAt: Effect.sync(() => savedAt),
        lastHour: Effect.map(Clock.currentTimeMillis, (now) => ({
          since: Math.max(began, firstMinute(now)),
          minutes: hour.until(now).map(told),
          failures: failures.until(now).slice(0, mostToldGroups)
        }))
      })
    })
  )
}

const told = ({ at, completed, failed, retried, run, submitted, wait }: Minute): MinuteStatistics => ({
  at,
  submitted,
  completed,
  retried,
  failed: Object.fromEntries(failed),
  wait: percentiles(wait),
  run: percentiles(run)
})

const percentiles = (durations: Durations): Percentiles | null => {
  const [p50, p95] = [durations.percentile(50), durations.percentile(95)]
  return p50 === undefined || p95 === undefined ? null : { p50: rounded(p50), p95: rounded(p95) }
}

/** They are not known to more places. */
const rounded = (seconds: number): number => Number(seconds.toPrecision(3))
