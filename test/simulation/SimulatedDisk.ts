import { Effect, FileSystem, Option, PlatformError } from "effect"
import type { Chance } from "./Chance.ts"
import { Errno, toPlatformError } from "./Errno.ts"
import type { Fault, Operation, Trouble } from "./Faults.ts"
import { FileTree, infoOf } from "./FileTree.ts"
import { DirectoryNode, FileNode, type Node } from "./Storage.ts"
import { Tally } from "./Tally.ts"
import type { World } from "./World.ts"

interface Call {
  /** The method of `FileSystem` that makes it. */
  readonly method: string
  readonly syscall: string
  readonly path: string
  readonly mutates: boolean
  readonly names?: readonly [string, string]
  /** What the error names: the path, or the number of the open file. */
  readonly subject?: number
}

/** A call begins: what it will do when it ends, unless a fault keeps it from that. */
type Begin<A> = () => (fault: Fault | undefined) => A

/**
 * A disk in memory behind Effect's `FileSystem`. Each system call takes a time of its own, so that calls
 * under way together end in any order; it happens when it ends, whether its caller still waits or not.
 */
export class SimulatedDisk {
  readonly #world: World
  readonly #chance: Chance
  readonly #tally: Tally
  #tree = new FileTree()
  #lastFd = 2
  #count = 0
  /** What is to happen when a call ends, and which it is. */
  readonly #underWay = new Map<() => unknown, string>()
  /** Bytes that fit. */
  capacity = Number.POSITIVE_INFINITY
  /** What is wrong now. */
  troubles: ReadonlyArray<Trouble> = []
  /** Milliseconds that a call takes, from and to. */
  latency: readonly [number, number] = [0.02, 2]
  /** Told of each call as it begins. */
  onOperation: (operation: Operation) => void = () => {}
  /** Told when what a file holds is in doubt. */
  onFailedSync: () => void = () => {}

  constructor(world: World, chance: Chance, tally: Tally = new Tally()) {
    this.#world = world
    this.#chance = chance
    this.#tally = tally
  }

  /** System calls made so far. */
  get operations(): number {
    return this.#count
  }

  /**
   * The process is killed: calls under way end or do not, what it has written stays with the system. Whether a sync
   * was among them that failed, of which nobody is left to be told.
   */
  kill(): boolean {
    const calls = Array.from(this.#underWay)
    this.#underWay.clear()
    let syncFailed = false
    for (const [call, syscall] of calls) {
      const ends = this.#chance.happens(0.5)
      this.#tally.count(`crash during ${syscall}, which ${ends ? "is" : "is not"} done`)
      const failed = ends && call() instanceof Errno
      if (failed) this.#tally.count(`crash during ${syscall}, which fails`)
      if (failed && syscall === "fsync") syncFailed = true
    }
    return syncFailed
  }

  /** The machine dies: only what is durable is sure to be left. */
  powerOff(): void {
    this.kill()
    this.#tree = this.#tree.survivor(this.#chance, this.#tally)
  }

  /** The files that a power failure would leave at this moment in a directory, one time. */
  leftByPowerFailure(path: string, chance: Chance): ReadonlyMap<string, Uint8Array> {
    return this.#tree.survivor(chance, new Tally()).files(path)
  }

  /** Bytes that all files take. */
  get used(): number {
    return this.#tree.used
  }

  /** The files of a directory, as a process sees them, or none. */
  files(path: string): ReadonlyMap<string, Uint8Array> {
    return this.#tree.files(path)
  }

  /** Puts a file there, durably, in place of another. */
  put(path: string, content: Uint8Array): void {
    this.#tree.put(path, content)
  }

  /** Changes one bit of a file. */
  damage(path: string, at: number): void {
    this.#tree.damage(path, at)
  }

  /** Makes a directory, durably. */
  putDirectory(path: string): void {
    this.#tree.putDirectory(path)
  }

  /** Somebody else removes a file. */
  removeFile(path: string): void {
    this.#tree.removeFile(path)
  }

  /** Somebody else removes a directory with all that is in it. */
  removeTree(path: string): void {
    this.#tree.removeTree(path)
  }

  #operate<A>(call: Call, begin: Begin<A>): Effect.Effect<A, PlatformError.PlatformError> {
    return Effect.callback((resume) => {
      const operation: Operation = { ...call, number: ++this.#count }
      this.#tally.count(`call ${call.syscall}`)
      this.onOperation(operation)
      const end = begin()
      const fault = this.troubles.reduce<Fault | undefined>(
        (found, trouble) => found ?? trouble(operation, this.#chance),
        undefined
      )
      const [least, most] = this.latency
      const happen = () => {
        if (fault !== undefined && "code" in fault && call.syscall !== "fsync")
          throw new Errno(fault.code, call.syscall, call.path)
        return end(fault)
      }
      const quietly = () => attempt(happen)
      this.#underWay.set(quietly, call.syscall)
      const delay = fault !== undefined && "delay" in fault ? fault.delay : 0
      if (delay > 0) this.#tally.count(`late ${call.syscall}`)
      this.#world.after(delay + this.#chance.scale(least, most), () => {
        this.#underWay.delete(quietly)
        const result = attempt(happen)
        if (result instanceof Errno) this.#tally.count(`failed ${call.syscall} ${result.code}`)
        resume(
          result instanceof Errno
            ? Effect.fail(toPlatformError(result, call.method, call.subject ?? call.path))
            : Effect.succeed(result.value)
        )
      })
    })
  }

  #open(method: string, path: string, flag: FileSystem.OpenFlag) {
    const { chars, creates } = { chars: new Set(flag), creates: !flag.startsWith("r") }
    const mutates = flag !== "r"
    const open = this.#operate({ method, syscall: "open", path, mutates }, () => () => {
      const known = this.#tree.lookup(path)
      if (known instanceof DirectoryNode && mutates) throw new Errno("EISDIR", "open", path)
      if (known !== undefined && chars.has("x")) throw new Errno("EEXIST", "open", path)
      if (known instanceof FileNode && chars.has("w") && known.content.length > 0) known.setLength(0)
      if (known !== undefined) return known
      if (!creates) throw new Errno("ENOENT", "open", path)
      return this.#tree.create(path)
    })
    return Effect.acquireRelease(
      Effect.map(open, (node) => ({ node, fd: ++this.#lastFd })),
      ({ fd }) =>
        Effect.orDie(
          this.#operate({ method, syscall: "close", path, subject: fd, mutates: false }, () => () => undefined)
        )
    ).pipe(Effect.map(({ fd, node }) => this.#handle(node, fd, path, chars, method === "open" ? undefined : method)))
  }

  #handle(
    node: Node,
    fd: number,
    path: string,
    flag: ReadonlySet<string>,
    asMethod: string | undefined
  ): FileSystem.File {
    let position = 0
    const appends = flag.has("a")
    const isFor = (mode: "reading" | "writing") => flag.has("+") || flag.has("r") === (mode === "reading")
    const call = (method: string, syscall: string, mutates: boolean): Call => ({
      method: asMethod ?? method,
      syscall,
      path,
      mutates,
      ...(asMethod === undefined ? { subject: fd } : {})
    })
    const file = (syscall: string): FileNode => {
      const mode = syscall === "read" ? "reading" : "writing"
      if (!isFor(mode)) throw new Errno(syscall === "ftruncate" ? "EINVAL" : "EBADF", syscall, undefined)
      if (node instanceof DirectoryNode) throw new Errno("EISDIR", syscall, undefined)
      return node
    }
    const readAlloc: FileSystem.File["readAlloc"] = (size, options) =>
      Effect.suspend(() => {
        const from = options?.position === undefined ? position : Number(options.position)
        return Effect.map(
          this.#operate(call("readAlloc", "read", false), () => () => file("read").content.slice(from, from + size)),
          (bytes) => {
            if (options?.position === undefined) position = from + bytes.length
            return bytes.length === 0 ? Option.none() : Option.some(bytes)
          }
        )
      })
    const writeAs = (method: string) => (bytes: Uint8Array) =>
      Effect.suspend(() => {
        const at = position
        return Effect.map(
          this.#operate(call(method, "write", true), () => (fault) => {
            const target = file("write")
            return this.#write(target, appends ? target.content.length : at, bytes, fault)
          }),
          (written) => {
            if (!appends) position = at + written
            return written
          }
        )
      })
    const writeAll = (bytes: Uint8Array): Effect.Effect<void, PlatformError.PlatformError> =>
      bytes.length === 0
        ? Effect.void
        : Effect.flatMap(writeAs("writeAll")(bytes), (written) => writeAll(bytes.subarray(written)))
    return {
      [FileSystem.FileTypeId]: FileSystem.FileTypeId,
      stat: this.#operate(call("stat", "fstat", false), () => () => infoOf(node)),
      sync: this.#operate(call("sync", "fsync", true), () => this.#sync(node)),
      seek: (offset, from) =>
        Effect.sync(() => {
          position = (from === "start" ? 0 : position) + Number(offset)
          return BigInt(position)
        }),
      read: (buffer, options) =>
        Effect.map(readAlloc(buffer.length, options), (bytes) => {
          const read = Option.getOrElse(bytes, () => new Uint8Array(0))
          buffer.set(read)
          return read.length
        }),
      readAlloc,
      truncate: (length = 0) =>
        Effect.map(
          this.#operate(call("truncate", "ftruncate", true), () => () => file("ftruncate").setLength(length)),
          () => {
            if (!appends) position = Math.min(position, length)
          }
        ),
      write: writeAs("write"),
      writeAll
    }
  }

  #write(node: FileNode, at: number, bytes: Uint8Array, fault: Fault | undefined): number {
    const growth = Math.max(0, at + bytes.length - node.content.length)
    const missing = growth === 0 ? 0 : Math.max(0, growth - Math.max(0, this.capacity - this.used))
    const room = bytes.length - missing
    if (room <= 0) throw new Errno("ENOSPC", "write", undefined)
    const count = fault !== undefined && "share" in fault ? Math.max(1, Math.floor(room * fault.share)) : room
    if (count < bytes.length) this.#tally.count("short write")
    node.write(at, bytes.subarray(0, count))
    return count
  }

  #sync(node: Node): (fault: Fault | undefined) => void {
    const mark = node instanceof FileNode ? node.sync() : node.sync()
    return (fault) => {
      if (fault === undefined || !("code" in fault)) return mark("synced")
      if (node instanceof FileNode) {
        mark("doubtful")
        this.onFailedSync()
        if (this.#chance.happens(0.3)) {
          this.#tally.count("a failed sync takes its writes from what is read")
          node.forgetDoubtful()
        }
      }
      throw new Errno(fault.code, "fsync", undefined)
    }
  }

  readonly fileSystem: FileSystem.FileSystem = this.#makeFileSystem()

  #makeFileSystem(): FileSystem.FileSystem {
    const operate = <A>(method: string, syscall: string, path: string, mutates: boolean, work: () => A) =>
      this.#operate({ method, syscall, path, mutates }, () => work)
    const readFile = (path: string) =>
      operate("readFile", "open", path, false, () => this.#tree.findFile(path, "open").content.slice())
    const writeFile: FileSystem.FileSystem["writeFile"] = (path, data, options) =>
      Effect.scoped(
        Effect.flatMap(this.#open("writeFile", path, options?.flag ?? "w"), (file) => file.writeAll(data))
      ).pipe(
        Effect.catchDefect((defect) =>
          defect instanceof PlatformError.PlatformError ? Effect.fail(defect) : Effect.die(defect)
        )
      )
    const access: FileSystem.FileSystem["access"] = (path) =>
      operate("access", "access", path, false, () => void this.#tree.find(path, "access"))
    return FileSystem.makeNoop({
      access,
      exists: (path) =>
        access(path).pipe(
          Effect.as(true),
          Effect.catchReason("PlatformError", "NotFound", () => Effect.succeed(false))
        ),
      link: (from, to) =>
        this.#operate({ method: "link", syscall: "link", path: to, names: [from, to], mutates: true }, () => () => {
          const node = this.#tree.findFile(from, "link")
          const [directory, name] = this.#tree.parent(to)
          if (directory.names.has(name)) throw new Errno("EEXIST", "link", from)
          directory.change([], [[name, node]])
        }),
      makeDirectory: (path, options) =>
        operate("makeDirectory", "mkdir", path, true, () =>
          this.#tree.makeDirectory(path, options?.recursive ?? false)
        ),
      open: (path, options) => this.#open("open", path, options?.flag ?? "r"),
      readDirectory: (path) =>
        operate("readDirectory", "scandir", path, false, () => {
          const node = this.#tree.find(path, "scandir")
          if (node instanceof FileNode) throw new Errno("ENOTDIR", "scandir", path)
          return Array.from(node.names.keys())
        }),
      readFile,
      realPath: (path) =>
        operate("realPath", "realpath", path, false, () => {
          this.#tree.find(path, "realpath")
          return path
        }),
      readFileString: (path) => Effect.map(readFile(path), (bytes) => new TextDecoder().decode(bytes)),
      remove: (path, options) =>
        operate("remove", "rm", path, true, () => {
          const known = this.#tree.lookup(path)
          if (known === undefined && options?.force === true) return
          this.#tree.findFile(path, "lstat")
          const [directory, name] = this.#tree.parent(path)
          directory.change([name], [])
        }),
      rename: (from, to) =>
        this.#operate(
          { method: "rename", syscall: "rename", path: from, names: [from, to], mutates: true },
          () => () => {
            const node = this.#tree.find(from, "rename")
            const [source, name] = this.#tree.parent(from)
            const [target, newName] = this.#tree.parent(to)
            // only renames within one directory are made together, and only those are asked for
            if (source !== target) throw new Errno("EXDEV", "rename", from)
            if (target.names.get(newName) !== node) source.change([name], [[newName, node]])
          }
        ),
      stat: (path) => operate("stat", "stat", path, false, () => infoOf(this.#tree.find(path, "stat"))),
      truncate: (path, length) =>
        operate("truncate", "open", path, true, () => this.#tree.findFile(path, "open").setLength(length ?? 0)),
      writeFile,
      writeFileString: (path, text, options) => writeFile(path, new TextEncoder().encode(text), options)
    })
  }
}

const attempt = <A>(work: () => A): { readonly value: A } | Errno => {
  try {
    return { value: work() }
  } catch (error) {
    if (error instanceof Errno) return error
    throw error
  }
}
