import type { Chance } from "./Chance.ts"
import type { Tally } from "./Tally.ts"

/**
 * What a disk holds, as a process sees it, and what of it would be left after a crash. Each file and each
 * directory is what was once durable, and the changes since then in their order. A change is `synced`
 * when a sync that covers it succeeded, and `dirty` until then. What was written to a file is `doubtful`
 * for good when that sync failed: the system then takes its pages for clean, and no later sync writes
 * them. Names live in a file system's own journal: a later sync covers them.
 */
type Safety = "dirty" | "doubtful" | "synced"

type FileChange = { safety: Safety } & (
  | { readonly _tag: "Write"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly _tag: "Length"; readonly to: number }
)

/** Names put and taken away together: a rename is both or neither. */
interface NameChange {
  safety: Safety
  readonly put: ReadonlyArray<readonly [string, Node]>
  readonly take: ReadonlyArray<string>
}

export type Node = FileNode | DirectoryNode

abstract class Changing<Change extends { safety: Safety }> {
  protected changes: Array<Change> = []

  /** A sync begins: it covers what was changed until now. Gives what is to be said of that when it ends. */
  sync(): (safety: "doubtful" | "synced") => void {
    const covered = this.changes.filter(({ safety }) => safety === "dirty")
    return (safety) => {
      for (const change of covered) if (change.safety === "dirty") change.safety = safety
      const firstOpen = this.changes.findIndex((change) => change.safety !== "synced")
      this.fold(this.changes.splice(0, firstOpen < 0 ? this.changes.length : firstOpen))
    }
  }

  protected abstract fold(changes: ReadonlyArray<Change>): void
}

export class FileNode extends Changing<FileChange> {
  readonly ino: number
  /** Names it has in the directories of now. */
  links = 0
  #durable = new Bytes()
  #seen = new Bytes()

  constructor(ino: number) {
    super()
    this.ino = ino
  }

  get content(): Uint8Array {
    return this.#seen.view
  }

  write(at: number, bytes: Uint8Array): void {
    const copy = Uint8Array.from(bytes)
    this.changes.push({ _tag: "Write", safety: "dirty", at, bytes: copy })
    this.#seen.write(at, copy)
  }

  setLength(to: number): void {
    this.changes.push({ _tag: "Length", safety: "dirty", to })
    this.#seen.setLength(to)
  }

  protected fold(changes: ReadonlyArray<FileChange>): void {
    for (const change of changes) {
      if (change._tag === "Write") this.#durable.write(change.at, change.bytes)
      else this.#durable.setLength(change.to)
    }
  }

  /** Some systems throw away what they could not write: readers then see the old content again. */
  forgetDoubtful(): void {
    this.#seen = new Bytes(this.#durable.view)
    for (const change of this.changes) {
      if (change.safety === "doubtful") continue
      if (change._tag === "Write") this.#seen.write(change.at, change.bytes)
      else this.#seen.setLength(change.to)
    }
  }

  /** One of the contents a crash may leave. */
  survivor(ino: number, chance: Chance, tally: Tally): FileNode {
    const content = new Bytes(this.#durable.view)
    for (const change of this.changes) {
      if (change.safety === "synced") {
        if (change._tag === "Write") content.write(change.at, change.bytes)
        else content.setLength(change.to)
      } else if (change._tag === "Length") {
        const isKept = chance.happens(0.5)
        tally.count(`unsynced length ${isKept ? "kept" : "lost"}`)
        if (isKept) content.setLength(change.to)
      } else tally.count(`${change.safety} write ${leave(content, change, chance)}`)
    }
    const node = new FileNode(ino)
    node.#durable = content
    node.#seen = new Bytes(content.view)
    return node
  }
}

/**
 * An unsynced write: lost, kept, or a part of it kept; where the length was kept, zeros stand for what was not.
 * Says which.
 */
const leave = (
  content: Bytes,
  { at, bytes }: { readonly at: number; readonly bytes: Uint8Array },
  chance: Chance
): string => {
  const somewhere = chance.below(bytes.length + 1)
  switch (chance.below(6)) {
    case 0:
      return "lost"
    case 1:
      content.write(at, bytes)
      return "kept"
    case 2:
      content.write(at, bytes.subarray(0, somewhere))
      return "cut short"
    case 3:
      content.extend(at + bytes.length)
      return "left as zeros"
    case 4:
      content.write(at + somewhere, bytes.subarray(somewhere))
      return "left without its beginning"
    default:
      content.extend(at + bytes.length)
      content.write(at + somewhere, bytes.subarray(somewhere, chance.between(somewhere, bytes.length)))
      return "left in its middle"
  }
}

export class DirectoryNode extends Changing<NameChange> {
  readonly ino: number
  links = 0
  #durable = new Map<string, Node>()
  #seen = new Map<string, Node>()

  constructor(ino: number) {
    super()
    this.ino = ino
  }

  get names(): ReadonlyMap<string, Node> {
    return this.#seen
  }

  change(take: ReadonlyArray<string>, put: ReadonlyArray<readonly [string, Node]>): void {
    const change: NameChange = { safety: "dirty", take, put }
    for (const name of take) {
      const node = this.#seen.get(name)
      if (node !== undefined) node.links--
    }
    for (const [name, node] of put) {
      const before = this.#seen.get(name)
      if (before !== undefined && !take.includes(name)) before.links--
      node.links++
    }
    apply(this.#seen, change)
    this.changes.push(change)
  }

  protected fold(changes: ReadonlyArray<NameChange>): void {
    for (const change of changes) apply(this.#durable, change)
  }

  /** One of the sets of names a crash may leave: in order up to some point, or each new or old by itself. */
  survivingNames(chance: Chance, tally: Tally): ReadonlyMap<string, Node> {
    const names = new Map(this.#durable)
    const inOrder = chance.happens(0.5)
    const upTo = chance.below(this.changes.length + 1)
    for (const [at, change] of this.changes.entries()) {
      const isKept = change.safety === "synced" || (inOrder ? at < upTo : chance.happens(0.5))
      if (change.safety !== "synced") tally.count(`unsynced ${kindOf(change)} ${isKept ? "kept" : "lost"}`)
      if (isKept) apply(names, change)
    }
    return names
  }

  static holding(ino: number, names: ReadonlyMap<string, Node>): DirectoryNode {
    const node = new DirectoryNode(ino)
    node.#durable = new Map(names)
    node.#seen = new Map(names)
    for (const child of names.values()) child.links++
    return node
  }
}

const kindOf = ({ put, take }: NameChange): string =>
  put.length === 0 ? "removal" : take.length === 0 ? "new name" : "rename"

const apply = (names: Map<string, Node>, { put, take }: NameChange): void => {
  for (const name of take) names.delete(name)
  for (const [name, node] of put) names.set(name, node)
}

/** The tree of names and what they name that a crash may leave of `root`: all of it durable. */
export const survivor = (root: DirectoryNode, chance: Chance, tally: Tally): DirectoryNode => {
  const files = new Map<FileNode, FileNode>()
  const visit = (node: Node): Node => {
    if (node instanceof FileNode) {
      const known = files.get(node) ?? node.survivor(node.ino, chance, tally)
      files.set(node, known)
      return known
    }
    return directory(node)
  }
  const directory = (node: DirectoryNode): DirectoryNode =>
    DirectoryNode.holding(
      node.ino,
      new Map(Array.from(node.survivingNames(chance, tally), ([name, child]) => [name, visit(child)]))
    )
  return directory(root)
}

/** Bytes that can be written anywhere, with zeros where nothing was written. */
class Bytes {
  #buffer: Uint8Array
  #length: number

  constructor(content: Uint8Array = new Uint8Array(0)) {
    this.#buffer = Uint8Array.from(content)
    this.#length = content.length
  }

  get view(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  extend(length: number): void {
    if (length > this.#length) this.setLength(length)
  }

  setLength(length: number): void {
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#buffer.length))
      larger.set(this.view)
      this.#buffer = larger
    }
    if (length < this.#length) this.#buffer.fill(0, length, this.#length)
    this.#length = length
  }

  write(at: number, bytes: Uint8Array): void {
    this.extend(at + bytes.length)
    this.#buffer.set(bytes, at)
  }
}
