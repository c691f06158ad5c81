import { Result, type Schema, Struct } from "effect"
import * as AttemptLine from "./AttemptLine.ts"
import * as Callback from "./Callback.ts"
import * as IsoTime from "./IsoTime.ts"
import {
  type AttemptOutcome,
  type FailureReason,
  type Instant,
  isFinished,
  limits,
  type Progress,
  type TaskAttempt,
  type TaskCopyRequest,
  type TaskId,
  type TaskRequest,
  type TaskStatus,
  type VenomTask,
  wishNames,
  type Wishes
} from "./Task.ts"
import { IllegalTransition } from "./TaskError.ts"
import * as Span from "./Span.ts"
import * as TaskLog from "./TaskLog.ts"

/**
 * The whole state machine. No other edge exists.
 *
 *   submit ──► PENDING ──claim──► PROCESSING ──complete──► COMPLETED (final)
 *                ▲ ▲ │               │ │ └────fail────────► FAILED
 *                │ │ └──────cancel───┼─┼──────────────────► FAILED (cancelled)
 *                │ └─retry, release, rescue┘                   │
 *                └───────────────retry by hand──────────────────┘
 */
export type Transition = (task: VenomTask) => Result.Result<VenomTask, IllegalTransition>

/** What a task was submitted with stays; `next` does the rest. */
type Change = Partial<
  Omit<
    VenomTask,
    | "id"
    | "content"
    | "createdAt"
    | "type"
    | "priority"
    | "tags"
    | keyof Wishes
    | "traceparent"
    | "revision"
    | "updatedAt"
    | "logs"
    | "logsDropped"
  >
>

const from =
  (
    name: string,
    allowed: ReadonlyArray<TaskStatus>,
    now: Instant,
    decide: (task: VenomTask) => { readonly change: Change; readonly says: string }
  ): Transition =>
  (task) => {
    if (!allowed.includes(task.status)) return refuse(task, name)
    const { change, says } = decide(task)
    return Result.succeed(
      next(task, withCallback(task, change, now), TaskLog.append(task, [TaskLog.line(now, says)], now), now)
    )
  }

/** Who wants to be told of the end is owed that by the very change that ends the task. */
const withCallback = (task: VenomTask, change: Change, now: Instant): Change => {
  if (task.callback === undefined || change.status === undefined) return change
  return { ...change, callback: isFinished({ status: change.status }) ? Callback.owed(now) : Callback.waiting }
}

const refuse = (task: VenomTask, transition: string) =>
  Result.fail(new IllegalTransition({ taskId: task.id, transition, status: task.status }))

/** Why a task cannot be unfinished again. */
export const uniqueKeyTaken = (task: VenomTask): IllegalTransition =>
  new IllegalTransition({
    taskId: task.id,
    transition: "run again while another task has its unique key",
    status: task.status
  })

/** Whether a task may be deleted: once it has finished, and is in the status that is meant, where one is. */
export const mayBeDeleted = (task: VenomTask, expected?: TaskStatus): Result.Result<void, IllegalTransition> =>
  expected !== undefined && task.status !== expected
    ? leftStatus(task)
    : isFinished(task)
      ? Result.succeed(undefined)
      : refuse(task, "be deleted before it has finished")

const leftStatus = (task: VenomTask) => refuse(task, "be changed with those of another status")

/** Holds a transition to the status that is meant: a task that has left it meanwhile is passed over. */
export const whileIn =
  (expected: TaskStatus, transition: Transition): Transition =>
  (task) =>
    task.status === expected ? transition(task) : leftStatus(task)

/** Whether a finished task is unfinished again. */
export const isReopened = (before: VenomTask, after: VenomTask): boolean => isFinished(before) && !isFinished(after)

/** Holds a transition to tasks that are not reopened by it. */
export const notReopening =
  (transition: Transition): Transition =>
  (task) =>
    Result.flatMap(transition(task), (changed) =>
      isReopened(task, changed) ? refuse(task, "be reopened without room for it") : Result.succeed(changed)
    )

const next = (task: VenomTask, change: Change, log: TaskLog.TaskLog, now: Instant): VenomTask => ({
  ...task,
  ...change,
  ...log,
  updatedAt: now,
  revision: task.revision + 1
})

const ended = (task: VenomTask, now: Instant, outcome: AttemptOutcome, error: string | null) =>
  task.attempts.map((attempt): TaskAttempt =>
    attempt.attempt === task.attempt && attempt.finishedAt === null
      ? { ...attempt, finishedAt: now, outcome, error }
      : attempt
  )

/** One for all: a queue holds a million tasks without tags. */
const none: ReadonlyArray<never> = []

const noWishes: Wishes = {}

const wishesOf = (from: Wishes): Wishes => {
  let wishes = noWishes
  for (const name of wishNames) if (from[name] !== undefined) wishes = { ...wishes, [name]: from[name] }
  return wishes
}

const startOf = ({ delay, runAt }: TaskRequest, now: Instant): Instant =>
  delay === undefined ? (runAt ?? now) : Math.min(Math.ceil(now + Span.millis(delay)), IsoTime.latest)

/** A new task, PENDING. */
export const submit = (
  request: TaskRequest,
  options: {
    readonly id: TaskId
    readonly now: Instant
    readonly maxAttempts: number
    readonly by?: string
    readonly hasCallback?: boolean
    readonly traceparent?: string | undefined
  }
): VenomTask => ({
  id: options.id,
  content: request.content,
  createdAt: options.now,
  status: "PENDING",
  result: null,
  logs: [TaskLog.line(options.now, options.by === undefined ? "submitted" : `submitted by ${options.by}`)],
  logsDropped: 0,
  type: request.type ?? "default",
  priority: request.priority ?? 0,
  runAt: startOf(request, options.now),
  updatedAt: options.now,
  startedAt: null,
  finishedAt: null,
  attempt: 0,
  maxAttempts: request.maxAttempts ?? options.maxAttempts,
  attempts: none,
  failure: null,
  tags: request.tags ?? none,
  ...wishesOf(request),
  ...(options.traceparent === undefined ? undefined : { traceparent: options.traceparent }),
  progress: null,
  ...(options.hasCallback === true ? { callback: Callback.waiting } : undefined),
  revision: 1
})

/**
 * The request that makes a task anew, with changes. What belongs to one run alone is not copied: when it is due,
 * its deadline, its unique key.
 */
export const copy = (task: VenomTask, changes: TaskCopyRequest): TaskRequest => ({
  content: task.content,
  type: task.type,
  priority: task.priority,
  maxAttempts: task.maxAttempts,
  tags: task.tags,
  ...(task.timeout === undefined ? undefined : { timeout: task.timeout }),
  ...(task.backoff === undefined ? undefined : { backoff: task.backoff }),
  ...(task.concurrencyKey === undefined ? undefined : { concurrencyKey: task.concurrencyKey }),
  ...(task.retention === undefined ? undefined : { retention: task.retention }),
  ...Struct.omit(changes, ["copyOf"])
})

/**
 * An attempt begins. Its number and its start are the token that its verdict must bring back: a number comes
 * again after a release, so the start is later than the one before, whatever the clock says.
 */
export const claim = (now: Instant): Transition =>
  from("be claimed", ["PENDING"], now, (task) => {
    const attempt = task.attempt + 1
    const startedAt = task.startedAt === null ? now : Math.max(now, task.startedAt + 1)
    const begun: TaskAttempt = { attempt, startedAt, finishedAt: null, outcome: null, error: null }
    return {
      change: {
        status: "PROCESSING",
        attempt,
        startedAt,
        progress: null,
        attempts: [...task.attempts, begun].slice(-limits.attempts)
      },
      says: `attempt ${attempt} of ${task.maxAttempts} started`
    }
  })

export const complete = (result: string, now: Instant): Transition =>
  from("complete", ["PROCESSING"], now, (task) => ({
    change: {
      status: "COMPLETED",
      result,
      failure: null,
      finishedAt: now,
      attempts: ended(task, now, "completed", null)
    },
    says: `attempt ${task.attempt} completed`
  }))

export const fail = (reason: FailureReason, message: string, now: Instant, data?: Schema.Json): Transition =>
  from("fail", ["PROCESSING"], now, (task) => ({
    change: {
      status: "FAILED",
      failure: data === undefined ? { reason, message } : { reason, message, data },
      finishedAt: now,
      attempts: ended(task, now, reason, message)
    },
    says: AttemptLine.failedForGood(task.attempt, reason, message)
  }))

/** Another attempt is due at `runAt`. The caller has seen that attempts are left. */
export const retry = (reason: FailureReason, message: string, runAt: Instant, now: Instant): Transition =>
  from("be retried", ["PROCESSING"], now, (task) => ({
    change: { status: "PENDING", runAt, attempts: ended(task, now, reason, message) },
    says: AttemptLine.retried(task.attempt, reason, message, runAt - now)
  }))

/** Given back by an orderly stop: the attempt is not counted. */
export const release = (now: Instant): Transition =>
  from("be released", ["PROCESSING"], now, (task) => ({
    change: {
      status: "PENDING",
      attempt: task.attempt - 1,
      attempts: task.attempts.filter((attempt) => attempt.attempt !== task.attempt)
    },
    says: `attempt ${task.attempt} released`
  }))

/**
 * Taken from a process that died: run again at once, unless its attempts died with the process too often.
 * Counted among the attempts kept, so no limit reaches further.
 */
export const rescue = (crashLimit: number, now: Instant): Transition =>
  from("be rescued", ["PROCESSING"], now, (task) => {
    const attempts = ended(task, now, "crashed", "the process died during this attempt")
    const crashes = attempts.filter((attempt) => attempt.outcome === "crashed").length
    if (crashes < Math.min(crashLimit, limits.attempts)) {
      return {
        change: { status: "PENDING", attempts },
        says: AttemptLine.orphaned(task.attempt)
      }
    }
    const message = `${crashes} ${crashes === 1 ? "attempt" : "attempts"} ended with the process`
    return {
      change: { status: "FAILED", failure: { reason: "crashed", message }, finishedAt: now, attempts },
      says: `failed for good (crashed): ${message}`
    }
  })

/** Final, also for a running attempt: whatever it brings back comes too late. */
export const cancel = (now: Instant): Transition =>
  from("be cancelled", ["PENDING", "PROCESSING"], now, (task) => ({
    change: {
      status: "FAILED",
      failure: { reason: "cancelled", message: "cancelled on request" },
      finishedAt: now,
      attempts: ended(task, now, "cancelled", null)
    },
    says: "cancelled"
  }))

/** Its deadline has passed and it is not running. */
export const expire = (now: Instant): Transition =>
  from("expire", ["PENDING"], now, (task) => {
    const message = deadlinePassed(task)
    return {
      change: { status: "FAILED", failure: { reason: "timeout", message }, finishedAt: now },
      says: `failed for good (timeout): ${message}`
    }
  })

export const deadlinePassed = ({ deadline }: Pick<VenomTask, "deadline">): string =>
  deadline === undefined ? "it has no deadline" : `its deadline was ${IsoTime.format(deadline)}`

/** A FAILED task is given one more attempt, at least, by hand. After its deadline only a copy of it can be run. */
export const retryByHand =
  (now: Instant): Transition =>
  (task) =>
    task.deadline !== undefined && task.deadline <= now
      ? refuse(task, "be retried by hand after its deadline")
      : from("be retried by hand", ["FAILED"], now, (task) => ({
          change: {
            status: "PENDING",
            failure: null,
            finishedAt: null,
            runAt: now,
            maxAttempts: Math.max(task.maxAttempts, task.attempt + 1)
          },
          says: "retried by hand"
        }))(task)

/** How far the attempt says it has come. */
export const progress =
  (progress: Progress, now: Instant): Transition =>
  (task) =>
    task.status === "PROCESSING"
      ? Result.succeed(next(task, { progress }, { logs: task.logs, logsDropped: task.logsDropped }, now))
      : refuse(task, "make progress")

/** What the runner said while it works: `lines` come from `TaskLog.line`, `lost` more were said before them. */
export const log =
  (lines: ReadonlyArray<string>, now: Instant, lost = 0): Transition =>
  (task) =>
    task.status === "PROCESSING"
      ? Result.succeed(next(task, {}, TaskLog.append(task, lines, now, lost), now))
      : refuse(task, "log")

/** Two changes that become one: both happen or neither, and the revision grows once. */
export const andThen =
  (first: Transition, second: Transition): Transition =>
  (task) =>
    Result.map(Result.flatMap(first(task), second), (changed) => ({ ...changed, revision: task.revision + 1 }))

/** Holds a verdict to the claim that earned it: after a rescue or a cancel it comes too late. */
export const heldBy =
  (claimed: VenomTask, earned: Transition): Transition =>
  (task) =>
    task.status === "PROCESSING" && task.attempt === claimed.attempt && task.startedAt === claimed.startedAt
      ? earned(task)
      : refuse(task, "settle a lost claim")
