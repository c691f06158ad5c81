import { Result, Schema } from "effect"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { type Instant, TaskId, type TaskRequest, type VenomTask } from "../../src/domain/Task.ts"

const toTaskId = Schema.decodeSync(TaskId)

/** The n-th id: ids of greater numbers are younger. */
export const idOf = (n: number): TaskId => toTaskId(`01980000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`)

/** The n-th task, just submitted; `maxAttempts` is 5 unless the request says otherwise. */
export const submitted = (n: number, request: Partial<TaskRequest> = {}, now: Instant = 0): VenomTask =>
  Lifecycle.submit({ content: `task ${n}`, ...request }, { id: idOf(n), now, maxAttempts: 5 })

/** The task after transitions that must be legal. */
export const after = (task: VenomTask, ...transitions: ReadonlyArray<Lifecycle.Transition>): VenomTask =>
  transitions.reduce((state, transition) => Result.getOrThrow(transition(state)), task)
