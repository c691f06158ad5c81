import { isFinished, type Progress, type TaskStatus, type VenomTask } from "../domain/Task.ts"
import type { Change, TaskFilter } from "../ports/StateRepository.ts"

/** The place of an event in the order of all events. A number beyond what a double can hold, after a long life. */
export type EventId = bigint

/** A task as it was when something happened to it; nothing of what it was submitted with. */
export type TaskState = Pick<
  VenomTask,
  "id" | "type" | "tags" | "status" | "attempt" | "runAt" | "result" | "failure" | "revision"
>

/** What has happened, in its place in the order of all that happens. */
export type Event =
  | { readonly _tag: "Status"; readonly id: EventId; readonly task: TaskState }
  | { readonly _tag: "Log"; readonly id: EventId; readonly task: TaskState; readonly line: string }
  | { readonly _tag: "Progress"; readonly id: EventId; readonly task: TaskState; readonly progress: Progress }

/** How far the work has come at this moment: told to those who listen, and to nobody later. */
export interface ProgressNow {
  readonly _tag: "Progress"
  readonly id: undefined
  readonly task: Pick<TaskState, "id">
  readonly progress: Progress
}

/** Stands for events that can no longer be told: how things stand now. */
export type Reset =
  | { readonly _tag: "Reset"; readonly id: EventId; readonly task: TaskState }
  | { readonly _tag: "Reset"; readonly id: EventId; readonly counts: Readonly<Record<TaskStatus, number>> }

export type Told = Event | ProgressNow | Reset

/** Nothing more happens to its task, but for a retry by hand. */
export const isFinal = (told: Told): boolean =>
  told._tag === "Status" || (told._tag === "Reset" && "task" in told) ? isFinished(told.task) : false

/** Events of one change; the last place is after all of them. */
const places = 256n

export const idAfter = (position: number): EventId => BigInt(position) * places + places - 1n
export const positionOf = (id: EventId): number => Number(id / places)

export const stateOf = (task: TaskState): TaskState => ({
  id: task.id,
  type: task.type,
  tags: task.tags,
  status: task.status,
  attempt: task.attempt,
  runAt: task.runAt,
  result: task.result,
  failure: task.failure,
  revision: task.revision
})

/** What is kept of a change: enough for its events, which are made for those who read them. */
export interface Happening {
  readonly position: number
  readonly task: TaskState
  readonly lines: ReadonlyArray<string>
  /** Where it has changed. */
  readonly progress: Progress | null
  readonly isStatus: boolean
}

/** A deletion tells nothing. */
export const happening = ({ after, before, lines, position }: Change): Happening | undefined =>
  after === undefined
    ? undefined
    : {
        position,
        task: stateOf(after),
        lines,
        progress: after.progress === before?.progress ? null : after.progress,
        isStatus: after.status !== before?.status || after.attempt !== before.attempt || after.runAt !== before.runAt
      }

/** What it tells: its lines, then how far the work has come, then where the task stands. */
export const of = ({ isStatus, lines, position, progress, task }: Happening): ReadonlyArray<Event> => {
  const events: Array<Event> = []
  let id = BigInt(position) * places
  for (const line of lines) events.push({ _tag: "Log", id: id++, task, line })
  if (progress !== null) events.push({ _tag: "Progress", id: id++, task, progress })
  if (isStatus) events.push({ _tag: "Status", id, task })
  return events
}

export const countOf = ({ isStatus, lines, progress }: Happening): number =>
  lines.length + (progress === null ? 0 : 1) + (isStatus ? 1 : 0)

/** The last of its events. */
export const lastOf = (happening: Happening): EventId =>
  BigInt(happening.position) * places + BigInt(countOf(happening)) - 1n

const endSize = ({ failure, result }: TaskState): number =>
  (result?.length ?? 0) +
  (failure?.message.length ?? 0) +
  (failure?.data === undefined ? 0 : JSON.stringify(failure.data).length)

/** About how many bytes it holds. */
export const weightOf = ({ lines, progress, task }: Happening): number => {
  let bytes = 300 + endSize(task) + (progress?.message?.length ?? 0)
  for (const line of lines) bytes += 32 + line.length
  return bytes
}

/** How a task stands at a place in the order of events. */
export const present = (task: VenomTask, id: EventId, kind: "Status" | "Reset"): ReadonlyArray<Told> => {
  const { progress } = task
  const state = stateOf(task)
  const told: Told = kind === "Status" ? { _tag: "Status", id, task: state } : { _tag: "Reset", id, task: state }
  return progress === null ? [told] : [told, { _tag: "Progress", id: undefined, task: state, progress }]
}

/** `text` is not looked at: an event has no content. */
export const matches = (filter: TaskFilter, task: TaskState): boolean =>
  (filter.status === undefined || task.status === filter.status) &&
  (filter.type === undefined || task.type === filter.type) &&
  (filter.tag === undefined || task.tags.includes(filter.tag))

/** About how many bytes it holds. */
export const sizeOf = (event: Event | ProgressNow): number => {
  switch (event._tag) {
    case "Status":
      return 300 + endSize(event.task)
    case "Log":
      return 200 + event.line.length
    case "Progress":
      return 200 + (event.progress.message?.length ?? 0)
  }
}
