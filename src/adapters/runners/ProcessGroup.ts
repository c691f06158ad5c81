import { type ChildProcessByStdio, spawn as spawnChild } from "node:child_process"
import type { Readable, Writable } from "node:stream"
import { Deferred, Duration, Effect, Exit, Option, Schema, type Scope } from "effect"
import type { Command } from "./CommandLine.ts"
import { livingGroups } from "./LivingGroups.ts"

/** The system did not start the program. */
export class SpawnError extends Schema.TaggedError<SpawnError>()("SpawnError", {
  program: Schema.String,
  /** The system's name of the error, such as ENOENT. */
  code: Schema.String,
  reason: Schema.String
}) {}

/** How the leader ended: one of the two is set. */
export interface ExitStatus {
  readonly code: number | null
  readonly signal: string | null
}

/** A running program, the leader of its own process group, and whatever it starts in that group. */
export interface ProcessGroup {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Waits for the end of the leader, and a moment longer if it leaves others behind that hold its output open. */
  readonly exited: Effect.Effect<ExitStatus>
  /** Ends whatever of the group is left, waits until it is gone and its output read, and closes the streams. */
  readonly end: Effect.Effect<void>
}

/** What a program finds in its environment, all of it. */
export type Environment = Readonly<Record<string, string>>

export type Spawn = (
  command: Command,
  environment: Environment,
  /** That of this process without. */
  directory?: string
) => Effect.Effect<ProcessGroup, SpawnError, Scope.Scope>

/** How long the kernel may take to carry out SIGKILL. Longer takes only a process stuck in the kernel. */
const killTakes = Duration.seconds(5)

/**
 * How long an output may stay open when its program has ended. Counted in turns of the event loop, so
 * that what has come is read however late the turns are.
 */
const afterglow = { turn: "50 millis", turns: 20 } as const

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "UNKNOWN"

/** Whether the group existed. 0 is no signal, only the question. */
const signalGroup = (group: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(-group, signal)
  } catch (error) {
    return codeOf(error) !== "ESRCH"
  }
}

interface Started {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly group: number
  /** The leader has ended. */
  readonly exit: Deferred.Deferred<ExitStatus>
  /** And its output is read to the end. */
  readonly closed: Deferred.Deferred<void>
}

const start = (
  [program, ...args]: Command,
  options: { readonly env: Environment; readonly cwd: string | undefined },
  groups: Set<number>
) =>
  Effect.callback<Started, SpawnError>((resume) => {
    const refuse = (error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error)
      resume(Effect.fail(new SpawnError({ program, code: codeOf(error), reason })))
    }
    try {
      const child = spawnChild(program, args, { ...options, detached: true, stdio: ["pipe", "pipe", "pipe"] })
      child.on("error", refuse)
      const group = child.pid
      if (group === undefined) return
      groups.add(group)
      const exit = Deferred.makeUnsafe<ExitStatus>()
      const closed = Deferred.makeUnsafe<void>()
      child.once("exit", (code, signal) => {
        // asked at once, while the system cannot yet have given the number to others
        if (!signalGroup(group, 0)) groups.delete(group)
        Deferred.doneUnsafe(exit, Exit.succeed({ code, signal }))
      })
      child.once("close", () => Deferred.doneUnsafe(closed, Exit.void))
      // a program may close its stdin unread: writing then fails with EPIPE, and that is all right
      child.stdin.on("error", () => {})
      resume(Effect.succeed({ child, group, exit, closed }))
    } catch (error) {
      // the same refusals come in both ways: ENOENT as an event, ENOTDIR thrown
      refuse(error)
    }
  })

/** Waits until the output is read to its end, or others hold it open for too long. */
const outputEnds = ({ closed }: Started) =>
  Effect.raceFirst(
    Effect.interruptible(Deferred.await(closed)),
    Effect.interruptible(Effect.replicateEffect(Effect.sleep(afterglow.turn), afterglow.turns, { discard: true }))
  )

/**
 * Makes what starts programs, each in its own process group. Closing the scope of a program ends its
 * group: SIGTERM, after `grace` SIGKILL, and waits until nothing of it is left. A process that has
 * left the group (setsid) is out of reach.
 *
 * Whichever way this process exits by itself, groups then still there get SIGKILL. If it is killed by
 * SIGKILL, nobody is left to do so: a program then runs on until it ends or writes to an output that
 * nobody reads any more. (Linux could tie the lives together with PR_SET_PDEATHSIG, which Node does
 * not offer.)
 *
 * Effect's own `ChildProcess` is not used: it tells the signal that ended a program only inside a
 * text, dies of what `spawn` throws, and waits seconds for zombies.
 */
export const makeSpawn = Effect.fnUntraced(function* (grace: Duration.Duration) {
  const groups = new Set<number>()
  const killAll = () => {
    for (const group of groups) signalGroup(group, "SIGKILL")
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => process.on("exit", killAll)),
    () => Effect.sync(() => process.off("exit", killAll))
  )
  const living = yield* Effect.cachedWithTTL(Effect.option(livingGroups), "50 millis")

  const isGone = Effect.fnUntraced(function* ({ exit, group }: Started) {
    if (!(yield* Deferred.isDone(exit))) return false
    if (!signalGroup(group, 0)) return true
    if (process.platform !== "linux") return false
    const found = yield* living
    if (Option.isNone(found) || found.value.has(group)) return false
    // only zombies are left; what was born while the list was read may be missing from it
    signalGroup(group, "SIGKILL")
    return true
  })

  const goneWithin = Effect.fnUntraced(function* (started: Started, limit: Duration.Duration) {
    let left = Duration.toMillis(limit)
    for (let wait = 5; left > 0; wait = Math.min(wait * 2, 100)) {
      yield* Effect.sleep(Math.min(wait, left))
      if (yield* isGone(started)) return true
      left -= wait
    }
    return false
  })

  const endGroup = Effect.fnUntraced(function* (started: Started) {
    signalGroup(started.group, "SIGTERM")
    if (yield* goneWithin(started, grace)) return
    signalGroup(started.group, "SIGKILL")
    if (yield* goneWithin(started, killTakes)) return
    yield* Effect.logWarning(
      `Process group ${started.group} is still there ${Duration.format(killTakes)} after SIGKILL`
    )
  })

  const end = Effect.fnUntraced(function* (started: Started) {
    if (groups.has(started.group)) yield* endGroup(started)
    groups.delete(started.group)
    yield* outputEnds(started)
    for (const stream of [started.child.stdin, started.child.stdout, started.child.stderr]) stream.destroy()
  })

  const spawn: Spawn = (command, environment, directory) =>
    Effect.acquireRelease(start(command, { env: environment, cwd: directory }, groups), end).pipe(
      Effect.map((started) => ({
        stdin: started.child.stdin,
        stdout: started.child.stdout,
        stderr: started.child.stderr,
        exited: Effect.tap(Deferred.await(started.exit), () =>
          groups.has(started.group) ? outputEnds(started) : Effect.void
        ),
        end: end(started)
      }))
    )
  return spawn
})
