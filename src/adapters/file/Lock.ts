import { Context, Effect, Equal, FiberSet, type FileSystem, Option, Predicate, Schedule, type Scope } from "effect"
import type { PlatformError } from "effect/PlatformError"
import { connect, createServer } from "node:net"
import { hostname } from "node:os"
import * as Disk from "./Disk.ts"
import * as Record from "./Record.ts"

export const fileName = "venom.lock"

/** Who holds the directory, as `venom.lock` tells it. */
interface Holder {
  readonly pid: number
  /** When that process started, in the system's own words; tells a reused pid. */
  readonly started: string | null
  /** Tells a pid of an earlier boot. */
  readonly boot: string | null
  readonly host: string
}

/**
 * Holds a data directory for this process until the scope closes.
 *
 * The lock is a socket in Linux's abstract namespace, named by device and inode of the directory: the
 * kernel frees it when the process dies, and neither a reused pid nor a second path to the directory
 * fools it. `venom.lock` says who holds it, and is the lock itself where there are no abstract sockets, or
 * where two processes of one machine live in different network namespaces. Processes on different
 * machines that share a directory are not kept apart.
 */
export const acquire = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  directory: string
): Effect.fn.Return<void, Disk.DataDirectoryError | PlatformError, Scope.Scope> {
  const path = `${directory}/${fileName}`
  const info = yield* fs.stat(directory)
  const holder = yield* readHolder(fs, path)
  if (process.platform === "linux") {
    const name = `\0venom-${info.dev}-${Option.getOrElse(info.ino, () => 0n)}`
    const isOurs = Effect.match(fs.stat(directory), {
      onFailure: ({ reason }) => reason._tag !== "NotFound",
      onSuccess: (now) => now.dev === info.dev && Equal.equals(now.ino, info.ino)
    })
    const hold = listen(name, yield* FiberSet.makeRuntime<never, void, never>(), isOurs)
    const isHeld = (yield* hold) || (yield* Effect.andThen(knock(name), hold))
    if (!isHeld) return yield* held(directory, holder)
  }
  if (holder !== undefined && (yield* isAlive(fs, holder))) return yield* held(directory, holder)
  const self = yield* describeProcess(fs, process.pid)
  const remove = fs.remove(path, { force: true })
  // by now it may tell of another process that has made the directory anew
  const release = Effect.flatMap(readHolder(fs, path), (holder) => (Equal.equals(holder, self) ? remove : Effect.void))
  const write = Effect.acquireRelease(
    Effect.andThen(
      remove,
      fs
        .writeFileString(path, `${JSON.stringify(self)}\n`, { flag: "wx", mode: Disk.privateFile })
        .pipe(Effect.tapError((error) => (Disk.isUnwell(error) ? Effect.ignore(remove) : Effect.void)))
    ),
    () => Effect.ignore(release)
  )
  yield* Effect.catchIf(
    write,
    (error) => process.platform === "linux" && Disk.isUnwell(error),
    (error) =>
      // the socket holds the directory; who else wants it is told as soon as the disk takes it
      Effect.andThen(
        Effect.logWarning(`${path} cannot be written yet: ${Disk.describe(error)}`),
        Effect.forkScoped(Effect.ignore(Effect.retry(write, Schedule.spaced("1 second"))))
      )
  )
})

/** How a directory is held. Another way stands here where one process plays many, one after the other. */
export const Lock = Context.Reference("venom/adapters/file/Lock", { defaultValue: () => acquire })

const held = (directory: string, holder: Holder | undefined) =>
  new Disk.DataDirectoryError({
    directory,
    reason: `it is in use by ${
      holder === undefined ? "another process" : `process ${holder.pid} on ${holder.host}`
    }. Stop that one, or give this one a directory of its own`
  })

/**
 * Whether the name was free; it is held until the scope closes. Who knocks makes the holder look whether its
 * directory is still there, and is sent away then: an open connection would hold up the end.
 */
const listen = (
  name: string,
  run: (effect: Effect.Effect<void>) => void,
  isOurs: Effect.Effect<boolean>
): Effect.Effect<boolean, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Option.Option<ReturnType<typeof createServer>>>((resume) => {
      const server = createServer((peer) => {
        peer.on("error", () => {})
        run(
          isOurs.pipe(
            Effect.map((ours) => {
              if (!ours) server.close()
            }),
            Effect.ensuring(Effect.sync(() => peer.destroy()))
          )
        )
      })
      server.once("error", () => resume(Effect.succeedNone))
      server.listen({ path: name }, () => {
        server.unref()
        resume(Effect.succeedSome(server))
      })
    }),
    (server) =>
      Option.match(server, {
        onNone: () => Effect.void,
        onSome: (open) =>
          Effect.callback<void>((resume) => {
            open.close(() => resume(Effect.void))
          })
      })
  ).pipe(Effect.map(Option.isSome))

/** A directory that is gone may still be held, and its number be ours: then its holder lets go. */
const knock = (name: string): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const peer = connect({ path: name })
    peer.on("error", () => {})
    peer.once("close", () => resume(Effect.void))
    return Effect.sync(() => void peer.destroy())
  }).pipe(Effect.timeoutOption("1 second"), Effect.asVoid)

const readHolder = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, path: string) {
  const text = yield* fs
    .readFileString(path)
    .pipe(Effect.catchReason("PlatformError", "NotFound", () => Effect.succeed("")))
  const value = Option.getOrUndefined(Record.parseJson(text))
  return isHolder(value) ? value : undefined
})

const isHolder = (value: unknown): value is Holder =>
  Predicate.isObject(value) &&
  "pid" in value &&
  "host" in value &&
  "started" in value &&
  "boot" in value &&
  Number.isSafeInteger(value.pid) &&
  Predicate.isString(value.host) &&
  (value.started === null || Predicate.isString(value.started)) &&
  (value.boot === null || Predicate.isString(value.boot))

const describeProcess = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, pid: number): Effect.fn.Return<Holder> {
  const boot = yield* readProc(fs, "/proc/sys/kernel/random/boot_id")
  const stat = yield* readProc(fs, `/proc/${pid}/stat`)
  // field 22, counted after the command's name, which may hold spaces (proc(5))
  const started = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null
  return { pid, started, boot: boot?.trim() ?? null, host: hostname() }
})

const readProc = (fs: FileSystem.FileSystem, path: string): Effect.Effect<string | null> =>
  fs.readFileString(path).pipe(Effect.catch(() => Effect.succeed(null)))

const isAlive = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, holder: Holder) {
  const now = yield* describeProcess(fs, holder.pid)
  if (holder.pid === process.pid || holder.host !== now.host || holder.boot !== now.boot) return false
  if (process.platform === "linux") return now.started !== null && now.started === holder.started
  return yield* Effect.try({ try: () => process.kill(holder.pid, 0), catch: () => "gone" as const }).pipe(
    Effect.catch(() => Effect.succeed(false))
  )
})
