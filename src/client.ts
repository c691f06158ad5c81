/** What a program needs to use a Venom that runs elsewhere: in Node or in a browser, and nothing of the service in it. */

export { VenomClient } from "./client/VenomClient.ts"
/** Types of tasks submit through it as through the queue of their own process. */
export * as HttpTaskClient from "./client/HttpTaskClient.ts"
export * from "./ports/TaskClient.ts"

export * as TaskType from "./typed/TaskType.ts"
export { type Outcome, TaskFailed, type TaskHandle, type TypedEvent, UnreadableTask } from "./typed/TaskHandle.ts"

export { isFinished, TaskId, TaskRequest, TaskResponse, TaskStatus, VenomTask } from "./domain/Task.ts"
export { VenomApi } from "./api/VenomApi.ts"
