import { Context, Duration } from "effect"
import * as Backoff from "../domain/Backoff.ts"

export interface EngineSettings {
  /** Attempts running at once. */
  readonly concurrency: number
  /** For a task that names none. */
  readonly maxAttempts: number
  /** Per attempt. */
  readonly taskTimeout: Duration.Duration
  /** The same for types that have another. */
  readonly typeTimeouts?: ReadonlyMap<string, Duration.Duration>
  readonly backoff: Backoff.Backoff
  /** What becomes of tasks whose process died: run again, or FAILED as `crashed`. */
  readonly onRestart: "resume" | "fail"
  /** A task whose attempts ended with the process this often is FAILED as `crashed`. */
  readonly crashLimit: number
  /** How long a finished task is kept that says nothing of it; may be infinite. */
  readonly retention: Duration.Duration
  /** The same for one that FAILED, where it is another time. */
  readonly retentionFailed?: Duration.Duration
  /** How many finished tasks are kept, the newest; may be infinite. */
  readonly retentionCount: number
  /** How long running attempts may finish when the engine stops. */
  readonly shutdownGrace: Duration.Duration
  /**
   * Whoever waits for a time looks at the clock again after this. Timers stand still while a machine is suspended and
   * know nothing of a wall clock set forward: this bounds how late anything can be after either.
   */
  readonly longestSleep: Duration.Duration
  /** Of the program, for those who look. */
  readonly version?: string
}

export const defaults: EngineSettings = {
  concurrency: 64,
  maxAttempts: 5,
  taskTimeout: Duration.minutes(15),
  backoff: Backoff.standard,
  onRestart: "resume",
  crashLimit: 3,
  retention: Duration.days(7),
  retentionCount: 1_000_000,
  shutdownGrace: Duration.seconds(10),
  longestSleep: Duration.minutes(1)
}

export const EngineSettings: Context.Reference<EngineSettings> = Context.Reference("venom/engine/EngineSettings", {
  defaultValue: () => defaults
})
