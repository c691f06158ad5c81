/** The task of an attempt, as a handler has it. */
export interface HandlerTask {
  readonly id: string
  readonly type: string
  readonly content: string
  /** The first is 1. */
  readonly attempt: number
  readonly maxAttempts: number
  readonly priority: number
  readonly tags: ReadonlyArray<string>
  /** ISO 8601. */
  readonly createdAt: string
  /** Where the attempt is in a trace, for what the handler asks of others (W3C Trace Context). */
  readonly traceparent?: string
}

/** What a handler may do beside its work. */
export interface HandlerContext {
  /** Adds a line to the task's log; so does what goes to `console`. */
  readonly log: (line: string) => void
  /** How far the work has come: 0 to 100, and what is being done; null where it cannot be said. */
  readonly progress: (percent: number | null, message?: string | null) => void
  /** Aborted when the attempt is to end: after a cancel, when its time is up, when the service stops. */
  readonly signal: AbortSignal
}

/**
 * Does the work of a task. What it returns, or its promise does, is the result: a string as it is, nothing as the
 * empty string, anything else as JSON. What it throws fails the attempt: with `retryable: false` for good, with
 * `retryAfter`, in milliseconds, not before so long.
 */
export type Handler = (task: HandlerTask, context: HandlerContext) => unknown

/** The default export of a module: a handler for each type, or one for all. */
export type Handlers = Handler | { readonly [type: string]: Handler }
