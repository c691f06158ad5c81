import { Worker } from "node:worker_threads"
import { Duration, Effect, Option, Queue, Schema } from "effect"
import type { VenomTask } from "../../domain/Task.ts"
import { permanent, retryable, type TaskFailure } from "../../domain/TaskError.ts"
import * as IsoTime from "../../domain/IsoTime.ts"
import * as Trace from "../../domain/Trace.ts"
import type { AttemptHandle } from "../../ports/TaskRunner.ts"
import type { HandlerTask } from "./Handlers.ts"
import { FromThread, type ThreadData, type ToThread } from "./ThreadMessages.ts"

/** The module could not be loaded, or is none of handlers. */
export class InvalidModule extends Schema.TaggedError<InvalidModule>()("InvalidModule", {
  module: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `the module ${this.module}: ${this.reason}`
  }
}

export interface ThreadOptions {
  /** Its path or URL. */
  readonly module: string
  /** What it finds in its environment, all of it. */
  readonly environment: Readonly<Record<string, string>>
  /** Bytes that its heap may have. */
  readonly memory: number
  /** How long a handler may take to return once its signal is aborted. */
  readonly grace: Duration.Duration
}

/** A thread with the module in it; it does one attempt at a time. */
export interface HandlerThread {
  /** The types it has handlers for; null where one handler takes all. */
  readonly types: ReadonlyArray<string> | null
  /** Whether another attempt may run in it. */
  readonly isAlive: () => boolean
  /** Interrupting it aborts the handler's signal; when this has ended the handler has returned, or the thread is gone. */
  readonly run: (task: VenomTask, handle: AttemptHandle) => Effect.Effect<string, TaskFailure>
  /** Ends the thread, whatever it does, and waits until it is gone. */
  readonly end: Effect.Effect<void>
}

type Inbox = FromThread | { readonly _tag: "Died"; readonly message: string }

const decode = Schema.decodeUnknownOption(FromThread)

/** Longer than any module takes that will be loaded at all. */
const loadWithin = Duration.seconds(30)

const entry = new URL(import.meta.url.endsWith(".ts") ? "./threadMain.ts" : "./threadMain.js", import.meta.url)

const taskOf = (task: VenomTask, traceparent: string | undefined): HandlerTask => ({
  id: task.id,
  type: task.type,
  content: task.content,
  attempt: task.attempt,
  maxAttempts: task.maxAttempts,
  priority: task.priority,
  tags: task.tags,
  createdAt: IsoTime.format(task.createdAt),
  ...(traceparent === undefined ? undefined : { traceparent })
})

const failureOf = ({ message, retryAfter, retryable: again }: Extract<FromThread, { _tag: "Threw" }>): TaskFailure =>
  again
    ? retryable(message, retryAfter === null ? undefined : Duration.millis(Math.max(0, retryAfter)))
    : permanent(message)

const deathOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY" ? "its memory is full" : error.message
}

const open = Effect.fnUntraced(function* ({ environment, memory, module }: ThreadOptions) {
  const inbox = yield* Queue.unbounded<Inbox>()
  const shared = new SharedArrayBuffer(4)
  const unread = new Int32Array(shared)
  const workerData: ThreadData = { module, unread: shared }
  const worker = new Worker(entry, {
    workerData,
    env: { ...environment },
    // what this process was started with is for this process
    execArgv: [],
    name: "venom handlers",
    resourceLimits: { maxOldGenerationSizeMb: Math.ceil(memory / 2 ** 20) }
  })
  let isAlive = true
  const die = (message: string) => {
    if (isAlive) Queue.offerUnsafe(inbox, { _tag: "Died", message })
    isAlive = false
  }
  worker.on("message", (message: unknown) => {
    const read = decode(message)
    if (Option.isSome(read)) Queue.offerUnsafe(inbox, read.value)
  })
  worker.on("error", (error) => die(deathOf(error)))
  worker.on("exit", (code) => die(`it exited with code ${code}`))
  return {
    next: Effect.tap(Queue.take(inbox), ({ _tag }) =>
      Effect.sync(() => (_tag === "Died" ? undefined : Atomics.sub(unread, 0, 1)))
    ),
    post: (message: ToThread) => Effect.sync(() => worker.postMessage(message)),
    isAlive: () => isAlive,
    end: Effect.asVoid(
      Effect.promise(() => {
        isAlive = false
        return worker.terminate()
      })
    )
  }
})

/**
 * Starts a thread. Interrupting the start ends it.
 *
 * Effect's own workers are not used: closing one waits for five seconds before it is terminated, and a handler that
 * does not listen any more would go on for so long.
 */
export const start = (options: ThreadOptions): Effect.Effect<HandlerThread, InvalidModule> =>
  Effect.gen(function* () {
    const { grace, module } = options
    const invalid = (reason: string) => new InvalidModule({ module, reason })
    const thread = yield* open(options)
    let runs = 0

    const loaded: Effect.Effect<ReadonlyArray<string> | null, InvalidModule> = Effect.flatMap(
      thread.next,
      (message) => {
        if (message._tag === "Ready") return Effect.succeed(message.types)
        return message._tag === "Broken" || message._tag === "Died" ? invalid(message.message) : loaded
      }
    )
    const types = yield* Effect.interruptible(loaded).pipe(
      Effect.timeoutOrElse({
        duration: loadWithin,
        orElse: () => invalid(`not loaded within ${Duration.format(loadWithin)}`)
      }),
      Effect.onError(() => thread.end)
    )

    const listen = (run: number, handle: AttemptHandle): Effect.Effect<string, TaskFailure> =>
      Effect.flatMap(thread.next, (message): Effect.Effect<string, TaskFailure> => {
        if (message._tag === "Died") {
          return Effect.fail(retryable(`the worker thread of this attempt died: ${message.message}`))
        }
        // from a handler that goes on after its attempt has ended
        if (message._tag === "Ready" || message._tag === "Broken" || message.run !== run) return listen(run, handle)
        switch (message._tag) {
          case "Log":
            return Effect.andThen(handle.log(message.line), listen(run, handle))
          case "Progress":
            return Effect.andThen(handle.progress(message.percent, message.message), listen(run, handle))
          case "Returned":
            return Effect.succeed(message.result)
          case "Threw":
            return Effect.fail(failureOf(message))
        }
      })

    /** Only a handler that returns in time leaves a thread that another attempt can have. */
    const stop = (run: number, handle: AttemptHandle) =>
      Effect.gen(function* () {
        yield* thread.post({ _tag: "Abort" })
        const returned = yield* Effect.timeoutOption(Effect.exit(listen(run, handle)), grace)
        if (Option.isNone(returned)) yield* thread.end
      })

    const started: HandlerThread = {
      types,
      isAlive: thread.isAlive,
      end: thread.end,
      run: (task, handle) =>
        Effect.flatMap(Trace.current, (traceparent) => {
          const run = ++runs
          const begin = thread.post({ _tag: "Run", run, task: taskOf(task, traceparent) })
          return Effect.onInterrupt(Effect.andThen(begin, listen(run, handle)), () => stop(run, handle))
        })
    }
    return started
  }).pipe(Effect.uninterruptible)
