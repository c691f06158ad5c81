import { availableParallelism } from "node:os"
import { resolve } from "node:path"
import process from "node:process"
import { pathToFileURL } from "node:url"
import { Duration, Effect, Layer, Semaphore } from "effect"
import { limits } from "../../domain/Task.ts"
import { permanent, retryable } from "../../domain/TaskError.ts"
import { TaskRunner } from "../../ports/TaskRunner.ts"
import * as Inherited from "./Inherited.ts"
import { type HandlerThread, InvalidModule, start } from "./HandlerThread.ts"

export interface ModuleOptions {
  /** The path of the module. */
  readonly module: string
  /** Threads, and so attempts that run at once; one core fewer than there are without. */
  readonly workers?: number
  /** Bytes that the heap of each may have. */
  readonly memory?: number
  /** How long a handler may take to return once its signal is aborted, before its thread is ended. */
  readonly grace?: Duration.Input
  /** What the handlers find in their environment, all of it; that of this process but its own settings without. */
  readonly environment?: Readonly<Record<string, string>>
  /** Types that there must be handlers for. */
  readonly types?: ReadonlyArray<string>
}

/** The service keeps a core for itself where there are more. */
export const usualWorkers = Math.max(1, availableParallelism() - 1)

export const usualMemory = 256 * 2 ** 20

/**
 * Runs the handlers of a TypeScript or JavaScript module, each attempt alone in one of a pool of worker threads: work
 * that never waits does not keep the service from answering.
 *
 * - An attempt that is interrupted has the signal of its handler aborted. A handler that does not return within the
 *   grace time is ended with its thread.
 * - A thread that dies, by an exception that nobody catches, by `process.exit()` or because its heap is full, fails its
 *   attempt, which may be retried, and is replaced. What crashes a process, such as a fault in native code, takes the
 *   service with it.
 * - Fails to build where the module cannot be loaded or has no handler for one of `types`.
 */
export const layer = (options: ModuleOptions): Layer.Layer<TaskRunner, InvalidModule> =>
  Layer.effect(
    TaskRunner,
    Effect.gen(function* () {
      const path = resolve(options.module)
      const { memory = usualMemory, workers = usualWorkers } = options
      const startThread = start({
        module: pathToFileURL(path).href,
        environment: options.environment ?? Inherited.all(process.env),
        memory,
        grace: Duration.fromInputUnsafe(options.grace ?? "2 seconds")
      })
      const permits = yield* Semaphore.make(workers)
      const threads = new Set<HandlerThread>()
      const idle: Array<HandlerThread> = []

      const keep = (thread: HandlerThread) =>
        Effect.sync(() => {
          threads.add(thread)
          return thread
        })
      const take = Effect.suspend(() => {
        for (let thread = idle.pop(); thread !== undefined; thread = idle.pop()) {
          if (thread.isAlive()) return Effect.succeed(thread)
          threads.delete(thread)
        }
        return Effect.flatMap(startThread, keep)
      })
      const giveBack = (thread: HandlerThread) =>
        Effect.sync(() => {
          if (thread.isAlive()) idle.push(thread)
          else threads.delete(thread)
        })
      yield* Effect.addFinalizer(() =>
        Effect.forEach(threads, ({ end }) => end, { discard: true, concurrency: "unbounded" })
      )

      // a module that cannot be run is told at the start
      const first = yield* Effect.uninterruptible(Effect.flatMap(startThread, keep))
      yield* giveBack(first)
      const missing = options.types?.find((type) => first.types !== null && !first.types.includes(type))
      if (missing !== undefined) {
        return yield* new InvalidModule({ module: path, reason: `it has no handler for ${missing}` })
      }
      yield* Effect.logInfo(`Tasks run the handlers of ${path} in ${workers} worker threads`)

      return TaskRunner.of({
        ...(first.types === null ? {} : { types: new Set(first.types) }),
        run: (task, handle) =>
          Effect.uninterruptibleMask((restore) =>
            Effect.flatMap(
              // its waiting may be interrupted
              Effect.mapError(take, ({ message }) => retryable(message)),
              (thread) => Effect.ensuring(restore(thread.run(task, handle)), giveBack(thread))
            )
          ).pipe(
            Effect.filterOrFail(
              (result) => Buffer.byteLength(result) <= limits.contentBytes,
              () => permanent(`the result has more than ${limits.contentBytes} bytes, the most it may have`)
            ),
            permits.withPermits(1)
          )
      })
    })
  )
