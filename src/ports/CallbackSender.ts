import { Context, type Effect } from "effect"
import type { VenomTask } from "../domain/Task.ts"
import type { TaskFailure } from "../domain/TaskError.ts"

/**
 * Tells somebody outside that a task has ended.
 *
 * - Succeeds when it was heard. Fails with `TaskFailure` otherwise, also when that is not known.
 * - The same end may be told more than once: it can be told apart from others by what is sent.
 * - When it is interrupted nothing of it runs on.
 */
export interface CallbackSender {
  /** Whether the end of tasks of a type is to be told. */
  readonly isFor: (type: string) => boolean
  readonly send: (task: VenomTask) => Effect.Effect<void, TaskFailure>
}

/** Without one nobody is told anything. */
export const CallbackSender: Context.Reference<CallbackSender | undefined> = Context.Reference<
  CallbackSender | undefined
>("venom/ports/CallbackSender", { defaultValue: () => undefined })
