import { ByteSize, type FileSystem, Option } from "effect"
import type { Chance } from "./Chance.ts"
import { Errno } from "./Errno.ts"
import { DirectoryNode, FileNode, type Node, survivor } from "./Storage.ts"
import type { Tally } from "./Tally.ts"

/** Names, and what they name, from the root on. */
export class FileTree {
  readonly #root: DirectoryNode
  #lastIno: number

  constructor(root: DirectoryNode = new DirectoryNode(1), lastIno = 1) {
    this.#root = root
    this.#lastIno = lastIno
  }

  /** What a power failure may leave of it. */
  survivor(chance: Chance, tally: Tally): FileTree {
    return new FileTree(survivor(this.#root, chance, tally), this.#lastIno)
  }

  /** Bytes that all files take. */
  get used(): number {
    const files = new Set<FileNode>()
    const visit = (node: Node): void => {
      if (node instanceof FileNode) files.add(node)
      else for (const child of node.names.values()) visit(child)
    }
    visit(this.#root)
    return Array.from(files).reduce((sum, { content }) => sum + content.length, 0)
  }

  /** Somebody else removes a file. */
  removeFile(path: string): void {
    this.findFile(path, "unlink")
    const [directory, name] = this.parent(path)
    directory.change([name], [])
  }

  /** Somebody else removes a directory with all that is in it. */
  removeTree(path: string): void {
    if (this.lookup(path) === undefined) return
    const [directory, name] = this.parent(path)
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

  /** Changes one bit of a file. */
  damage(path: string, at: number): void {
    const file = this.findFile(path, "open")
    file.write(at, Uint8Array.of((file.content[at] ?? 0) ^ 1))
  }

  /** Puts a file there, durably, in place of another. */
  put(path: string, content: Uint8Array): void {
    const [directory, name] = this.parent(path)
    const file = new FileNode(++this.#lastIno)
    file.write(0, content)
    file.sync()("synced")
    directory.change([], [[name, file]])
    directory.sync()("synced")
  }

  /** Makes a directory, durably. */
  putDirectory(path: string): void {
    this.makeDirectory(path, true)
    for (let at = path.lastIndexOf("/"); at >= 0; at = path.lastIndexOf("/", at - 1)) {
      const node = this.lookup(path.slice(0, at))
      if (node instanceof DirectoryNode) node.sync()("synced")
      if (at === 0) break
    }
  }

  /** The files of a directory, as a process sees them, or none. */
  files(path: string): ReadonlyMap<string, Uint8Array> {
    const node = this.lookup(path)
    const names = node instanceof DirectoryNode ? Array.from(node.names) : []
    return new Map(names.flatMap(([name, child]) => (child instanceof FileNode ? [[name, child.content]] : [])))
  }

  parent(path: string): readonly [DirectoryNode, string] {
    const at = path.lastIndexOf("/")
    const node = this.lookup(path.slice(0, at))
    if (node === undefined) throw new Errno("ENOENT", "open", path)
    if (node instanceof FileNode) throw new Errno("ENOTDIR", "open", path)
    return [node, path.slice(at + 1)]
  }

  lookup(path: string): Node | undefined {
    let node: Node | undefined = this.#root
    for (const name of path.split("/")) {
      if (name === "") continue
      node = node instanceof DirectoryNode ? node.names.get(name) : undefined
    }
    return node
  }

  find(path: string, syscall: string): Node {
    const node = this.lookup(path)
    if (node === undefined) throw new Errno("ENOENT", syscall, path)
    return node
  }

  findFile(path: string, syscall: string): FileNode {
    const node = this.find(path, syscall)
    if (node instanceof DirectoryNode) throw new Errno("EISDIR", syscall, path)
    return node
  }

  /** A new file of that name. */
  create(path: string): FileNode {
    const [directory, name] = this.parent(path)
    const file = new FileNode(++this.#lastIno)
    directory.change([], [[name, file]])
    return file
  }

  makeDirectory(path: string, recursive: boolean): void {
    if (this.lookup(path) !== undefined) {
      if (!recursive) throw new Errno("EEXIST", "mkdir", path)
      return
    }
    const above = path.slice(0, path.lastIndexOf("/"))
    if (recursive && this.lookup(above) === undefined) this.makeDirectory(above, true)
    const [directory, name] = this.parent(path)
    directory.change([], [[name, new DirectoryNode(++this.#lastIno)]])
  }
}

/** What `stat` says. */
export const infoOf = (node: Node): FileSystem.File.Info => ({
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
