import type * as ActionsApi from "../api/ActionsApi.ts"
import type * as NodesApi from "../api/NodesApi.ts"
import type * as QueueApi from "../api/QueueApi.ts"
import type * as SessionApi from "../api/SessionApi.ts"
import type * as StatisticsApi from "../api/StatisticsApi.ts"
import type * as TypesApi from "../api/TypesApi.ts"
import type * as DomainFlow from "../domain/Flow.ts"
import type * as DomainSchedule from "../domain/Schedule.ts"
import type * as DomainTask from "../domain/Task.ts"
import type * as DomainWhy from "../domain/Why.ts"

/** The contract as it is on the wire. */
export type Task = typeof DomainTask.VenomTask.Encoded
export type TaskStatus = DomainTask.TaskStatus
export type Attempt = typeof DomainTask.TaskAttempt.Encoded
export type TaskRequest = typeof DomainTask.TaskRequest.Encoded
export type TaskCopyRequest = typeof DomainTask.TaskCopyRequest.Encoded
export type TaskResponse = typeof DomainTask.TaskResponse.Encoded
export type Why = typeof DomainWhy.Answer.Encoded
export type Queue = typeof QueueApi.QueueState.Encoded
export type Limits = typeof DomainFlow.Limits.Encoded
export type Schedule = typeof DomainSchedule.Schedule.Encoded
export type ScheduleRequest = typeof DomainSchedule.ScheduleRequest.Encoded
export type TypeInfo = typeof TypesApi.TypeInfo.Encoded
export type Node = typeof NodesApi.VenomNode.Encoded
export type Session = typeof SessionApi.Session.Encoded
export type ActionRequest = typeof ActionsApi.ActionRequest.Encoded
export type ActionResponse = typeof ActionsApi.ActionResponse.Encoded

export type Statistics = typeof StatisticsApi.HourStatistics.Encoded
export type Minute = Statistics["minutes"][number]
export type FailureGroup = Statistics["failures"][number]
export type Storage = typeof StatisticsApi.StorageState.Encoded

/** Which tasks, as in a list. */
export interface Filter {
  readonly status?: TaskStatus
  readonly type?: string
  readonly tag?: string
  readonly q?: string
}

/** A problem document (RFC 9457). */
export interface Problem {
  readonly title?: string
  readonly status?: number
  readonly detail?: string
  readonly matched?: number
  readonly errors?: ReadonlyArray<{ readonly path: string; readonly message: string }>
}
