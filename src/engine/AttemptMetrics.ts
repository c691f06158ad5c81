import { Effect, Metric } from "effect"
import type { Instant, VenomTask } from "../domain/Task.ts"
import type { Verdict } from "../domain/Verdict.ts"
import * as TypeSeries from "./TypeSeries.ts"

/** From a millisecond to an hour. */
const seconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600]

const waitSeconds = Metric.histogram("venom_queue_wait_seconds", {
  description: "From when a task was due until an attempt began",
  boundaries: seconds
})

const runSeconds = Metric.histogram("venom_task_run_seconds", {
  description: "From the beginning of an attempt to its end",
  boundaries: seconds
})

/** Counts the attempts of this process. */
export const make = Effect.map(Effect.context<never>(), (context) => {
  const attempts = TypeSeries.counter("venom_attempts_total", "Attempts that have ended, by how")
  return {
    began: (task: VenomTask): void => waitSeconds.updateUnsafe(waitMillis(task) / 1000, context),
    /** `settled`: storage took the verdict; else the task was cancelled or given to another before. */
    ended: ({ startedAt, type }: VenomTask, verdict: Verdict, settled: boolean, now: Instant): void => {
      if (settled && verdict._tag === "Release") return
      attempts(type, settled ? outcomeOf(verdict) : "dropped").updateUnsafe(1, context)
      runSeconds.updateUnsafe(Math.max(0, now - (startedAt ?? now)) / 1000, context)
    }
  }
})

/** From when it was due until its attempt began. */
export const waitMillis = ({ createdAt, runAt, startedAt }: VenomTask): number => {
  const due = Math.max(runAt, createdAt)
  return Math.max(0, (startedAt ?? due) - due)
}

const outcomeOf = (verdict: Verdict): string =>
  verdict._tag === "Retry" || verdict._tag === "Fail" ? verdict.reason : "completed"
