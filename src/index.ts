/** What an application needs to run Venom inside itself, with no HTTP: that is `venom/http`. Importing it starts nothing. */

export * as Backoff from "./domain/Backoff.ts"
export {
  type Instant,
  isFinished,
  limits,
  TaskId,
  TaskRequest,
  TaskResponse,
  TaskStatus,
  VenomTask
} from "./domain/Task.ts"
/** What a runner may fail with: `TaskError.retryable`, `TaskError.permanent`. */
export * as TaskError from "./domain/TaskError.ts"

export * from "./ports/Entry.ts"
export * from "./ports/StateRepository.ts"
export * from "./ports/Storage.ts"
export * from "./ports/StorageError.ts"
export * from "./ports/TaskRunner.ts"
export * from "./ports/CallbackSender.ts"
export * from "./ports/TypeLimits.ts"
export * from "./ports/TaskClient.ts"
export * from "./ports/RegisteredTypes.ts"

/** Tasks whose content, results and failures are values: `TaskType.make`. */
export * as TaskType from "./typed/TaskType.ts"
export * as TaskTypes from "./typed/TaskTypes.ts"
export * as TaskHandlers from "./typed/TaskHandlers.ts"
export { type Outcome, TaskFailed, type TaskHandle, type TypedEvent, UnreadableTask } from "./typed/TaskHandle.ts"

export * as Engine from "./engine/Engine.ts"
export { ServiceDraining } from "./engine/Draining.ts"
export { defaults as engineDefaults, EngineSettings } from "./engine/EngineSettings.ts"
export { FlowControl } from "./engine/FlowControl.ts"
export { Orchestrator } from "./engine/Orchestrator.ts"
export { Schedules } from "./engine/Schedules.ts"
export * as Shutdown from "./engine/Shutdown.ts"

export { DataDirectoryError } from "./adapters/file/Disk.ts"
export * as FileStateRepository from "./adapters/file/FileStateRepository.ts"
export * as MemoryStateRepository from "./adapters/memory/MemoryStateRepository.ts"
export * as HttpCallbackSender from "./adapters/http/HttpCallbackSender.ts"
export { Secret } from "./adapters/http/Signature.ts"
export * as CommandTaskRunner from "./adapters/runners/CommandTaskRunner.ts"
export * as ConfiguredTaskRunner from "./adapters/runners/ConfiguredTaskRunner.ts"
export * from "./adapters/runners/Handlers.ts"
export * as HttpTaskRunner from "./adapters/runners/HttpTaskRunner.ts"
export * as ModuleTaskRunner from "./adapters/runners/ModuleTaskRunner.ts"
export * as RunnersFile from "./adapters/runners/RunnersFile.ts"
export * as SimulatedTaskRunner from "./adapters/runners/SimulatedTaskRunner.ts"

export * as RandomBytes from "./host/RandomBytes.ts"
