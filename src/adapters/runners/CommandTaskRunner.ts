import { isUtf8 } from "node:buffer"
import { statSync } from "node:fs"
import type { Readable } from "node:stream"
import * as NodeStream from "@effect/platform-node/NodeStream"
import { Duration, Effect, FiberSet, Layer, Option, Result, Stream } from "effect"
import { limits, type VenomTask } from "../../domain/Task.ts"
import { permanent, retryable, type TaskFailure } from "../../domain/TaskError.ts"
import * as Trace from "../../domain/Trace.ts"
import { type AttemptHandle, TaskRunner } from "../../ports/TaskRunner.ts"
import { type Command, findProgram, InvalidCommand, parse } from "./CommandLine.ts"
import * as Inherited from "./Inherited.ts"
import * as LineSplitter from "./LineSplitter.ts"
import * as ProgressLine from "./ProgressLine.ts"
import { type Environment, type ExitStatus, makeSpawn, type SpawnError } from "./ProcessGroup.ts"

export interface CommandOptions {
  /** What every task runs: a line that `CommandLine.parse` can split, or its words. */
  readonly command: string | Command
  /** How long a program may take to end after SIGTERM before it gets SIGKILL. */
  readonly grace?: Duration.Input
  /** Bytes of stdout that a result may have. */
  readonly resultBytes?: number
  /** Where programs run; the working directory of this process without. */
  readonly directory?: string
  /** What programs find in their environment beside what tells of the task; without, that of this process but its own settings. */
  readonly environment?: Environment
}

/** Characters of stderr that a failure quotes. */
const tailChars = 2000

/** Why the system may refuse to start a program now and not the next time. */
const passing: ReadonlyArray<string> = ["EAGAIN", "EMFILE", "ENFILE", "ENOMEM", "ETXTBSY"]

const notStarted = ({ code, program, reason }: SpawnError): TaskFailure => {
  if (passing.includes(code)) return retryable(`${program} could not be started: ${reason}`)
  if (code === "ENOENT") {
    return permanent(`${program} was not found, or its working directory, or the interpreter that its first line names`)
  }
  if (code === "EACCES") return permanent(`${program} may not be executed`)
  return permanent(`${program} could not be started: ${reason}`)
}

const ended = (program: string, { code, signal }: ExitStatus, tail: string): TaskFailure => {
  const how = signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`
  return retryable(tail === "" ? `${program} ${how}` : `${program} ${how}: ${tail}`)
}

const ofTask = (task: VenomTask, traceparent: string | undefined): Environment => ({
  VENOM_TASK_ID: task.id,
  VENOM_TASK_TYPE: task.type,
  VENOM_ATTEMPT: String(task.attempt),
  VENOM_MAX_ATTEMPTS: String(task.maxAttempts),
  ...(traceparent === undefined ? undefined : { TRACEPARENT: traceparent })
})

/** What comes, until it ends or is closed on our side, which is an end as good as any. */
const bytes = (readable: Readable) =>
  NodeStream.fromReadable({ evaluate: () => readable }).pipe(Stream.catch(() => Stream.empty))

/** Collects stdout; stops beyond the bound. */
const makeOutput = (bound: number) => {
  const chunks: Array<Uint8Array> = []
  let size = 0
  const check = Effect.suspend(() =>
    size <= bound
      ? Effect.void
      : Effect.fail(permanent(`more than ${bound} bytes came from stdout, the most a result may have`))
  )
  return {
    read: (stdout: Readable) =>
      Stream.runForEach(bytes(stdout), (chunk) => {
        size += chunk.length
        chunks.push(chunk)
        return check
      }),
    check,
    take: () => Buffer.concat(chunks)
  }
}

/** Logs stderr line by line, takes from it how far the program is, and keeps its tail. */
const makeErrors = (handle: AttemptHandle) => {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  const splitter = LineSplitter.make(limits.logLineChars)
  const tell = (line: string) =>
    Option.match(ProgressLine.read(line), {
      onNone: () => handle.log(line),
      onSome: ({ message = null, percent = null }) => handle.progress(percent, message)
    })
  const log = (lines: ReadonlyArray<string>) => Effect.forEach(lines, tell, { discard: true })
  let tail = ""
  const take = (text: string) => {
    tail = (tail + text).slice(-tailChars)
    return log(splitter.push(text))
  }
  return {
    read: (stderr: Readable) =>
      Stream.runForEach(bytes(stderr), (chunk) => take(decoder.decode(chunk, { stream: true }))).pipe(
        Effect.andThen(Effect.suspend(() => take(decoder.decode()))),
        Effect.andThen(Effect.suspend(() => log(splitter.end())))
      ),
    tail: () => {
      const lines = tail.toWellFormed().split("\n")
      return lines
        .filter((line) => Option.isNone(ProgressLine.read(line)))
        .join("\n")
        .trim()
    }
  }
}

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

const commandOf = (
  { command, directory }: CommandOptions,
  environment: Environment
): Result.Result<Command, InvalidCommand> => {
  if (directory !== undefined && !isDirectory(directory)) {
    return Result.fail(new InvalidCommand({ reason: `There is no directory ${directory} for programs to run in` }))
  }
  return Result.flatMap(typeof command === "string" ? parse(command) : Result.succeed(command), (words) =>
    findProgram(words, environment["PATH"] ?? "/usr/bin:/bin", directory ?? ".")
  )
}

/**
 * Runs a program for each attempt: the content on its stdin as UTF-8, its stdout the result, each line
 * of its stderr a line of the task's log, or how far it is (`ProgressLine`). No shell is involved, and the content reaches neither
 * arguments nor environment; there stand `VENOM_TASK_ID`, `VENOM_TASK_TYPE`, `VENOM_ATTEMPT` and
 * `VENOM_MAX_ATTEMPTS`, and `TRACEPARENT` where there is a trace, beside all that the service itself has but its own `VENOM_` settings.
 *
 * - Of the result one line end at the very end is taken away, so that `wc -w` answers `2`.
 * - Any exit code but 0, and any signal, is a failure worth another attempt. A program that cannot be
 *   started, or writes too much, is not.
 * - The attempt ends with the program. What the program left running in its process group is ended
 *   too: see `ProcessGroup`, also for what is out of reach.
 * - The three streams are Unix sockets: on Linux a program cannot open them by name. `-` and `>&2` work
 *   where `/dev/stdin` and `> /dev/stderr` do not.
 *
 * Fails to build when there is no such program.
 */
export const layer = (options: CommandOptions): Layer.Layer<TaskRunner, InvalidCommand> =>
  Layer.effect(
    TaskRunner,
    Effect.gen(function* () {
      const environment = options.environment ?? Inherited.all(process.env)
      const words = yield* Effect.fromResult(commandOf(options, environment))
      const [program] = words
      const spawn = yield* makeSpawn(Duration.fromInputUnsafe(options.grace ?? "2 seconds"))
      yield* Effect.logInfo(`Each task runs the program ${program}`)

      const run = Effect.fnUntraced(function* (task: VenomTask, handle: AttemptHandle) {
        if (!task.content.isWellFormed()) {
          return yield* permanent("the content has half of a surrogate pair, which UTF-8 cannot carry to a program")
        }
        const output = makeOutput(options.resultBytes ?? 1024 * 1024)
        const errors = makeErrors(handle)
        // made before the group and so closed after it: what a program says while it is being ended is heard
        const readers = yield* FiberSet.make<void, TaskFailure>()
        const group = yield* Effect.mapError(
          spawn(words, { ...environment, ...ofTask(task, yield* Trace.current) }, options.directory),
          notStarted
        )
        yield* FiberSet.run(readers, output.read(group.stdout))
        yield* FiberSet.run(readers, errors.read(group.stderr))
        group.stdin.end(task.content, "utf8")

        const status = yield* Effect.raceFirst(group.exited, Effect.andThen(FiberSet.join(readers), Effect.never))
        yield* group.end
        yield* FiberSet.awaitEmpty(readers)
        yield* output.check
        if (status.code !== 0) return yield* ended(program, status, errors.tail())
        if (!group.stdout.readableEnded) {
          yield* handle.log("a process out of reach holds stdout open; the result is what came until the program ended")
        }
        const result = output.take()
        if (!isUtf8(result)) yield* handle.log("stdout was not UTF-8 throughout; what was not is replaced by �")
        return result.toString("utf8").replace(/\r?\n$/, "")
      }, Effect.scoped)

      return TaskRunner.of({ run })
    })
  )
