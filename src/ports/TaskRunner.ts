import { Context, type Effect } from "effect"
import type { VenomTask } from "../domain/Task.ts"
import type { TaskFailure } from "../domain/TaskError.ts"

/** What an attempt may tell while it works. */
export interface AttemptHandle {
  /** Adds a line to the task's log. Never fails and never waits for storage. */
  readonly log: (line: string) => Effect.Effect<void>
  /**
   * How far the work has come: 0 to 100, and what is being done; null where it cannot be said. The newest stands in
   * the task. Never fails and never waits for storage.
   */
  readonly progress: (percent: number | null, message: string | null) => Effect.Effect<void>
}

/**
 * Does the work of a task.
 *
 * - Succeeds with the result, fails with `TaskFailure` for what may be expected to fail; dying is a
 *   defect of the runner, which fails the task for good.
 * - Is interrupted for cancel, timeout and shutdown. When it has ended, nothing it started runs on.
 * - May be run more than once for one task: at least once is the promise, so work should bear repeating.
 */
export class TaskRunner extends Context.Service<
  TaskRunner,
  {
    readonly run: (task: VenomTask, handle: AttemptHandle) => Effect.Effect<string, TaskFailure>
    /** The task types it has work for; every type without. Tasks of others are held: never claimed, never lost. */
    readonly types?: ReadonlySet<string>
  }
>()("venom/ports/TaskRunner") {}
