import { Context, Effect, type Option, type Result, Stream } from "effect"
import type { Flow } from "../domain/Flow.ts"
import type { Transition } from "../domain/Lifecycle.ts"
import type { Instant, TaskId, TaskStatus, VenomTask } from "../domain/Task.ts"
import type { IllegalTransition, TaskNotFound } from "../domain/TaskError.ts"
import type { Standing } from "../domain/Why.ts"
import type { Entry, EntryChanged, Put } from "./Entry.ts"
import type { Storage, StorageHealth } from "./Storage.ts"
import type { QueueFull, StorageError, StorageFull } from "./StorageError.ts"

/** A task as it is told of when it has changed: not what it was submitted with, and not its log. */
export type Told = Pick<
  VenomTask,
  "id" | "type" | "tags" | "status" | "attempt" | "runAt" | "result" | "failure" | "progress" | "callback" | "revision"
>

/** One task that became visible in a new state, or was taken away. */
export interface Change {
  /** Grows from change to change, across restarts too; none is told twice, whatever a crash has taken. */
  readonly position: number
  readonly before: Told | undefined
  readonly after: Told | undefined
  /** What its log has more than before. */
  readonly lines: ReadonlyArray<string>
  /** The whole of it as it is then, where that is at hand. */
  readonly task?: VenomTask | undefined
}

/** Which tasks; every given part must hold. */
export interface TaskFilter {
  readonly status?: TaskStatus
  readonly type?: string
  readonly tag?: string
  /** Text that `content` contains. */
  readonly text?: string
  /** Whose callback is owed. */
  readonly owed?: true
}

/** How many tasks there are. */
export interface QueueCounts {
  readonly statuses: Readonly<Record<TaskStatus, number>>
  /** Of each type that has tasks or that the flow names; of the former not all where they are very many. */
  readonly types: ReadonlyArray<{ readonly type: string; readonly statuses: Readonly<Record<TaskStatus, number>> }>
  /** When the PENDING task was due that has been due for longest. */
  readonly oldestDue: Option.Option<Instant>
}

/** PENDING tasks whose deadline has passed. */
export interface Overdue {
  readonly tasks: ReadonlyArray<VenomTask>
  /** When the next one of the others has its deadline. */
  readonly next: Option.Option<Instant>
}

export interface PageRequest {
  /** At most so many tasks. */
  readonly limit: number
  /** Only tasks older than this one; it need not exist any more. */
  readonly before?: TaskId
}

export interface TaskPage {
  readonly tasks: ReadonlyArray<VenomTask>
  /** Whether older tasks may match too. */
  readonly more: boolean
}

/** A change that holds only while the claim that earned it does. */
export interface Settlement {
  readonly claimed: VenomTask
  readonly transition: Transition
}

/** A process that shares a repository with others. */
export interface Node {
  readonly id: string
  readonly name: string
  readonly version: string
  readonly startedAt: Instant
  /** It counts as dead from then on, unless it says something before. */
  readonly expiresAt: Instant
  readonly alive: boolean
  /** Whether it does what one of them does for all. */
  readonly leads: boolean
  /** Attempts that it may run at once, and those it runs. */
  readonly concurrency: number
  readonly running: number
}

/** How long finished tasks are kept, by their status, in milliseconds; may be infinite. */
export interface Retention {
  readonly COMPLETED: number
  readonly FAILED: number
}

export interface Gone {
  readonly count: number
  /** When the time of the next one is over. */
  readonly next: Option.Option<Instant>
}

/**
 * Holds every task. The domain decides a change, the repository makes it atomic and durable.
 *
 * - What returns is durable; what fails with `StorageError` has not happened.
 * - Nothing is visible before it is durable: no new task, no final state can be read before its
 *   change is safe. A claim is visible once it is written.
 * - Changes of one task happen one after another; no change is decided on a state that another
 *   change has left.
 * - Interrupting a caller interrupts its waiting, never the change.
 * - `insert`, `update`, `reopen`, `claim`, `settle`, `prune` cost O(log n) a task, `get` O(1).
 *
 * `StateRepositoryTest.suite` holds every adapter to this.
 */
export class StateRepository extends Context.Service<
  StateRepository,
  {
    /**
     * All of them or none, with a change of an entry. Their ids are new. Returns the tasks as they are then: in the
     * place of one whose `uniqueKey` an unfinished task has, that one. The entry may tell of those that are returned.
     */
    readonly insert: (
      tasks: ReadonlyArray<VenomTask>,
      put?: Put | ((made: ReadonlyArray<VenomTask>) => Put)
    ) => Effect.Effect<ReadonlyArray<VenomTask>, StorageError | QueueFull | StorageFull | EntryChanged>

    /** Deletes a finished task, and with `expected` only one that is in this status then. */
    readonly remove: (
      id: TaskId,
      expected?: TaskStatus
    ) => Effect.Effect<void, StorageError | TaskNotFound | IllegalTransition>

    readonly put: (put: Put) => Effect.Effect<void, StorageError | EntryChanged>

    readonly entry: (name: string) => Effect.Effect<Option.Option<Entry>, StorageError>

    /** Those whose names begin so, in the order of their names. */
    readonly entries: (prefix: string) => Effect.Effect<ReadonlyArray<Entry>, StorageError>

    /** Takes away entries that have expired, at most `limit`. */
    readonly expireEntries: (options: {
      readonly now: Instant
      readonly limit: number
    }) => Effect.Effect<Gone, StorageError>

    /** What holds back tasks that are due. */
    readonly flow: Effect.Effect<Flow, StorageError>

    /**
     * Changes what holds them back and returns what does then. It is decided on the newest, whoever else changes it
     * meanwhile, so perhaps more than once.
     */
    readonly updateFlow: (decide: (flow: Flow) => Flow) => Effect.Effect<Flow, StorageError>

    /**
     * Applies a transition to the newest state of a task and returns the task as it then is. What the task was
     * submitted with (content, type, priority, tags) stays. What has finished stays finished: it takes `reopen`.
     */
    readonly update: (
      id: TaskId,
      transition: Transition
    ) => Effect.Effect<VenomTask, StorageError | TaskNotFound | IllegalTransition>

    /** The same for one that makes a finished task unfinished again: it needs room as one that comes in does. */
    readonly reopen: (
      id: TaskId,
      transition: Transition
    ) => Effect.Effect<VenomTask, StorageError | QueueFull | TaskNotFound | IllegalTransition>

    /**
     * Claims at most `limit` tasks that are PENDING and due at `now`, that are of the `types` where some are given, and
     * that the flow does not hold back: by priority, then fairly between the concurrency keys, then by `runAt`, then
     * age. Each is PROCESSING when this returns, its attempt number is the token of the claim. A set of types does not
     * change; the first claim with another set may take time with the number of due tasks.
     */
    readonly claim: (options: {
      readonly limit: number
      readonly now: Instant
      readonly types?: ReadonlySet<string> | undefined
    }) => Effect.Effect<ReadonlyArray<VenomTask>, StorageError>

    /** Verdicts, each held to its claim: the ones that come too late are refused one by one. */
    readonly settle: (
      settlements: ReadonlyArray<Settlement>
    ) => Effect.Effect<ReadonlyArray<Result.Result<VenomTask, TaskNotFound | IllegalTransition>>, StorageError>

    /** Applies a transition to every task whose claimant is certainly dead, and returns them as they then are. */
    readonly rescue: (transition: Transition) => Effect.Effect<ReadonlyArray<VenomTask>, StorageError>

    /**
     * Deletes finished tasks, at most `limit`: first those whose time is over, by their own `retention` or by that of
     * their status, those first whose time was over first; then, of all but `keep`, those that finished first. A task
     * that another change is taking out of its final state stays; and with `keepOwed` one whose callback is owed.
     */
    readonly prune: (options: {
      readonly now: Instant
      readonly retention: Retention
      readonly keep: number
      readonly limit: number
      readonly keepOwed?: boolean
    }) => Effect.Effect<Gone, StorageError>

    readonly get: (id: TaskId) => Effect.Effect<Option.Option<VenomTask>, StorageError>

    /** A page of matching tasks, newest first. */
    readonly page: (filter: TaskFilter, request: PageRequest) => Effect.Effect<TaskPage, StorageError>

    /** How many tasks are in each status. */
    readonly counts: Effect.Effect<Readonly<Record<TaskStatus, number>>, StorageError>

    /** The same for each type, and what waits for longest; types that the flow does not name, at most so many. */
    readonly queueCounts: (options: {
      readonly now: Instant
      readonly types: number
    }) => Effect.Effect<QueueCounts, StorageError>

    /** Where a task stands among the others, for claims of `types`. May take time with the number of due tasks. */
    readonly standing: (
      id: TaskId,
      now: Instant,
      types?: ReadonlySet<string>
    ) => Effect.Effect<Standing, StorageError | TaskNotFound>

    /** At most `limit` PENDING tasks whose deadline has passed, the earliest first. Such a task is never claimed. */
    readonly overdue: (options: {
      readonly now: Instant
      readonly limit: number
    }) => Effect.Effect<Overdue, StorageError>

    /**
     * When the next PENDING task is due that claims of `types` may get and the flow does not hold back for longer; may
     * lie in the past.
     */
    readonly nextDue: (types?: ReadonlySet<string>) => Effect.Effect<Option.Option<Instant>, StorageError>

    /**
     * Emits when tasks may have become claimable. A hint: losing one costs latency, never correctness,
     * and several may come as one.
     */
    readonly wake: Stream.Stream<void>

    /** Emits when tasks have finished. A hint likewise. */
    readonly finished: Stream.Stream<void>

    /** All changes from now on, in their order, when they are durable; those that became so together come together. */
    readonly changes: Stream.Stream<ReadonlyArray<Change>>

    /**
     * Emits where `changes` may have left some out that came before `position`, which is another one then. Whoever
     * knows something by the changes begins anew. A repository that one process has for itself leaves out none.
     */
    readonly gaps: Stream.Stream<void>

    /**
     * That of the newest change that `changes` has told, or would have; no later one has a lower, unless a repository
     * that others share has lost what it held.
     */
    readonly position: Effect.Effect<number>

    readonly health: Effect.Effect<StorageHealth>

    readonly storage: Effect.Effect<Storage, StorageError>

    /** Whether other processes may share it. */
    readonly isShared: boolean

    /** The newest changes that were told before anybody listened here, up to `position`; none is left out between. */
    readonly past: Effect.Effect<ReadonlyArray<Change>>

    /** Processes that share the repository; none where one process has it for itself. */
    readonly nodes: Effect.Effect<ReadonlyArray<Node>, StorageError>

    /**
     * Returns while this process is the one that does what is to be done once for all of them, and tells since when, as
     * a number that is another one each time. It may have ended by then: what is done bears being done twice.
     */
    readonly lead: Effect.Effect<number>

    /** Claims of this process that it has no more: others have ended them, or it was not heard of for too long. */
    readonly lost: Stream.Stream<Pick<VenomTask, "id" | "attempt">>

    /** Emits when tasks may have lost their claimant. A hint; there are none where one process has it for itself. */
    readonly orphaned: Stream.Stream<void>

    /** Names of entries that other processes may have changed by `put`. A hint likewise. */
    readonly changedEntries: Stream.Stream<string>
  }
>()("venom/ports/StateRepository") {}

/** What a repository tells of others that one process has for itself. */
export const alone = {
  isShared: false,
  gaps: Stream.never,
  past: Effect.succeed<ReadonlyArray<Change>>([]),
  nodes: Effect.succeed<ReadonlyArray<Node>>([]),
  lead: Effect.succeed(0),
  lost: Stream.never,
  orphaned: Stream.never,
  changedEntries: Stream.never
} as const
