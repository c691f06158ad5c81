import { ByteSize, Effect, FileSystem, Option, PlatformError } from "effect"
import type { Chance } from "./Chance.ts"
import { Errno, toPlatformError } from "./Errno.ts"
import type { Fault, Operation, Trouble } from "./Faults.ts"
import { DirectoryNode, FileNode, type Node, survivor } from "./Storage.ts"
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
  #root = new DirectoryNode(1)
  #lastIno = 1
  #lastFd = 2
  #count = 0
  /** What is to happen when a call ends, and which it is. */
  readonly #underWay = new Map<() => void, string>()
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

  get used(): number {
    const files = new Set<FileNode>()
    const visit = (node: Node): void => {
      if (node instanceof FileNode) files.add(node)
      else for (const child of node.names.values()) visit(child)
    }
    visit(this.#root)
    return Array.from(files).reduce((sum, { content }) => sum + content.length, 0)
  }

  /** The process is killed: calls under way end or do not, what it has written stays with the system. */
  kill(): void {
    const calls = Array.from(this.#underWay)
    this.#underWay.clear()
    for (const [call, syscall] of calls) {
      const ends = this.#chance.happens(0.5)
      this.#tally.count(`crash during ${syscall}, which ${ends ? "is" : "is not"} done`)
      if (ends) call()
    }
  }

  /** The machine dies: only what is durable is sure to be left. */
  powerOff(): void {
    this.kill()
    this.#root = survivor(this.#root, this.#chance, this.#tally)
  }

  /** The files that a power failure would leave at this moment in a directory, one time. */
  leftByPowerFailure(path: string, chance: Chance): ReadonlyMap<string, Uint8Array> {
    return filesOf(lookup(survivor(this.#root, chance, new Tally()), path))
  }

  /** Somebody else removes a directory with all that is in it. */
  removeTree(path: string): void {
    if (this.#lookup(path) === undefined) return
    const [directory, name] = this.#parent(path)
    const empty = (node: Node): void => {
      if (node instanceof FileNode) return
      for (const child of node.names.values()) empty(child)
      node.change(Array.from(node.names.keys()), [])
    }
    const node = directory.names.get(name)
    if (node === undefined) return
    empty(node)
    directory.change([name], [])
  }

  /** Puts a file there, durably, in place of another. */
  put(path: string, content: Uint8Array): void {
    const [directory, name] = this.#parent(path)
    const file = new FileNode(++this.#lastIno)
    file.write(0, content)
    file.sync()("synced")
    directory.change([], [[name, file]])
    directory.sync()("synced")
  }

  /** Makes a directory, durably. */
  putDirectory(path: string): void {
    this.#makeDirectory(path, true)
    for (let at = path.lastIndexOf("/"); at >= 0; at = path.lastIndexOf("/", at - 1)) {
      const node = this.#lookup(path.slice(0, at))
      if (node instanceof DirectoryNode) node.sync()("synced")
      if (at === 0) break
    }
  }

  /** The files of a directory, as a process sees them, or none. */
  files(path: string): ReadonlyMap<string, Uint8Array> {
    return filesOf(this.#lookup(path))
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
      const quietly = () => void attempt(happen)
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

  #parent(path: string): readonly [DirectoryNode, string] {
    const at = path.lastIndexOf("/")
    const node = this.#lookup(path.slice(0, at))
    if (node === undefined) throw new Errno("ENOENT", "open", path)
    if (node instanceof FileNode) throw new Errno("ENOTDIR", "open", path)
    return [node, path.slice(at + 1)]
  }

  #lookup(path: string): Node | undefined {
    return lookup(this.#root, path)
  }

  #find(path: string, syscall: string): Node {
    const node = this.#lookup(path)
    if (node === undefined) throw new Errno("ENOENT", syscall, path)
    return node
  }

  #findFile(path: string, syscall: string): FileNode {
    const node = this.#find(path, syscall)
    if (node instanceof DirectoryNode) throw new Errno("EISDIR", syscall, path)
    return node
  }

  #open(method: string, path: string, flag: FileSystem.OpenFlag) {
    const { chars, creates } = { chars: new Set(flag), creates: !flag.startsWith("r") }
    const mutates = flag !== "r"
    const open = this.#operate({ method, syscall: "open", path, mutates }, () => () => {
      const known = this.#lookup(path)
      if (known instanceof DirectoryNode && mutates) throw new Errno("EISDIR", "open", path)
      if (known !== undefined && chars.has("x")) throw new Errno("EEXIST", "open", path)
      if (known instanceof FileNode && chars.has("w") && known.content.length > 0) known.setLength(0)
      if (known !== undefined) return known
      if (!creates) throw new Errno("ENOENT", "open", path)
      const [directory, name] = this.#parent(path)
      const file = new FileNode(++this.#lastIno)
      directory.change([], [[name, file]])
      return file
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
      operate("readFile", "open", path, false, () => this.#findFile(path, "open").content.slice())
    const writeFile: FileSystem.FileSystem["writeFile"] = (path, data, options) =>
      Effect.scoped(
        Effect.flatMap(this.#open("writeFile", path, options?.flag ?? "w"), (file) => file.writeAll(data))
      ).pipe(
        Effect.catchDefect((defect) =>
          defect instanceof PlatformError.PlatformError ? Effect.fail(defect) : Effect.die(defect)
        )
      )
    const access: FileSystem.FileSystem["access"] = (path) =>
      operate("access", "access", path, false, () => void this.#find(path, "access"))
    return FileSystem.makeNoop({
      access,
      exists: (path) =>
        access(path).pipe(
          Effect.as(true),
          Effect.catchReason("PlatformError", "NotFound", () => Effect.succeed(false))
        ),
      link: (from, to) =>
        this.#operate({ method: "link", syscall: "link", path: to, names: [from, to], mutates: true }, () => () => {
          const node = this.#findFile(from, "link")
          const [directory, name] = this.#parent(to)
          if (directory.names.has(name)) throw new Errno("EEXIST", "link", from)
          directory.change([], [[name, node]])
        }),
      makeDirectory: (path, options) =>
        operate("makeDirectory", "mkdir", path, true, () => this.#makeDirectory(path, options?.recursive ?? false)),
      open: (path, options) => this.#open("open", path, options?.flag ?? "r"),
      readDirectory: (path) =>
        operate("readDirectory", "scandir", path, false, () => {
          const node = this.#find(path, "scandir")
          if (node instanceof FileNode) throw new Errno("ENOTDIR", "scandir", path)
          return Array.from(node.names.keys())
        }),
      readFile,
      realPath: (path) =>
        operate("realPath", "realpath", path, false, () => {
          this.#find(path, "realpath")
          return path
        }),
      readFileString: (path) => Effect.map(readFile(path), (bytes) => new TextDecoder().decode(bytes)),
      remove: (path, options) =>
        operate("remove", "rm", path, true, () => {
          const known = this.#lookup(path)
          if (known === undefined && options?.force === true) return
          this.#findFile(path, "lstat")
          const [directory, name] = this.#parent(path)
          directory.change([name], [])
        }),
      rename: (from, to) =>
        this.#operate(
          { method: "rename", syscall: "rename", path: from, names: [from, to], mutates: true },
          () => () => {
            const node = this.#find(from, "rename")
            const [source, name] = this.#parent(from)
            const [target, newName] = this.#parent(to)
            // only renames within one directory are made together, and only those are asked for
            if (source !== target) throw new Errno("EXDEV", "rename", from)
            if (target.names.get(newName) !== node) source.change([name], [[newName, node]])
          }
        ),
      stat: (path) => operate("stat", "stat", path, false, () => infoOf(this.#find(path, "stat"))),
      truncate: (path, length) =>
        operate("truncate", "open", path, true, () => this.#findFile(path, "open").setLength(length ?? 0)),
      writeFile,
      writeFileString: (path, text, options) => writeFile(path, new TextEncoder().encode(text), options)
    })
  }

  #makeDirectory(path: string, recursive: boolean): void {
    if (this.#lookup(path) !== undefined) {
      if (!recursive) throw new Errno("EEXIST", "mkdir", path)
      return
    }
    const above = path.slice(0, path.lastIndexOf("/"))
    if (recursive && this.#lookup(above) === undefined) this.#makeDirectory(above, true)
    const [directory, name] = this.#parent(path)
    directory.change([], [[name, new DirectoryNode(++this.#lastIno)]])
  }
}

const lookup = (root: DirectoryNode, path: string): Node | undefined => {
  let node: Node | undefined = root
  for (const name of path.split("/")) {
    if (name === "") continue
    node = node instanceof DirectoryNode ? node.names.get(name) : undefined
  }
  return node
}

const filesOf = (node: Node | undefined): ReadonlyMap<string, Uint8Array> => {
  const names = node instanceof DirectoryNode ? Array.from(node.names) : []
  return new Map(names.flatMap(([name, child]) => (child instanceof FileNode ? [[name, child.content]] : [])))
}

const attempt = <A>(work: () => A): { readonly value: A } | Errno => {
  try {
    return { value: work() }
  } catch (error) {
    if (error instanceof Errno) return error
    throw error
  }
}

const infoOf = (node: Node): FileSystem.File.Info => ({
  type: node instanceof FileNode ? "File" : "Directory",
  mtime: Option.none(),
  atime: Option.none(),
  birthtime: Option.none(),
  dev: 1n,
  rdev: Option.none(),
  ino: Option.some(BigInt(node.ino)),
  mode: node instanceof FileNode ? 0o100600 : 0o40700,
  nlink: Option.some(BigInt(node.links)),
  uid: Option.none(),
  gid: Option.none(),
  size: ByteSize.bytes(BigInt(node instanceof FileNode ? node.content.length : 4096)),
  blksize: Option.none(),
  blocks: Option.none()
})
