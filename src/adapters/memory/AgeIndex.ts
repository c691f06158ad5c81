import type { TaskId, TaskStatus, VenomTask } from "../../domain/Task.ts"
import type { TaskFilter } from "../../ports/StateRepository.ts"

/** Ids in a chunk at most: few enough to be looked at one by one, enough to be worth passing over. */
const capacity = 256

/** What a task is, but for its tags. */
interface Kind {
  readonly status: TaskStatus
  readonly type: string
  count: number
}

const positionOf = (ids: ReadonlyArray<TaskId>, id: TaskId): number => {
  let low = 0
  let high = ids.length
  // ids nearly always come in order
  const newest = ids[high - 1]
  if (newest === undefined || newest < id) return high
  while (low < high) {
    const middle = (low + high) >> 1
    const candidate = ids[middle]
    if (candidate !== undefined && candidate < id) low = middle + 1
    else high = middle
  }
  return low
}

const suits = (kind: Kind, { status, type }: TaskFilter): boolean =>
  kind.count > 0 && (status === undefined || kind.status === status) && (type === undefined || kind.type === type)

/** Neighbours by age, and what they are. */
class Chunk {
  /** Oldest first. */
  readonly ids: Array<TaskId> = []
  /** What is below it belongs to the chunk before, if there is one. */
  readonly floor: TaskId
  /** For each id, which of the kinds its task is of. */
  readonly #kindAt = new Uint8Array(capacity)
  readonly #kinds: Array<Kind> = []
  readonly #tags = new Map<string, number>()

  constructor(floor: TaskId) {
    this.floor = floor
  }

  insert(task: VenomTask): void {
    const at = positionOf(this.ids, task.id)
    if (at < this.ids.length) {
      this.#kindAt.copyWithin(at + 1, at, this.ids.length)
      this.ids.splice(at, 0, task.id)
    } else this.ids.push(task.id)
    this.#kindAt[at] = this.#join(task)
    for (const tag of task.tags) this.#tags.set(tag, (this.#tags.get(tag) ?? 0) + 1)
  }

  remove(task: VenomTask): void {
    const at = positionOf(this.ids, task.id)
    this.#leave(at)
    this.#kindAt.copyWithin(at, at + 1, this.ids.length)
    this.ids.splice(at, 1)
    for (const tag of task.tags) {
      const left = (this.#tags.get(tag) ?? 0) - 1
      if (left > 0) this.#tags.set(tag, left)
      else this.#tags.delete(tag)
    }
  }

  change(task: VenomTask): void {
    const at = positionOf(this.ids, task.id)
    this.#leave(at)
    this.#kindAt[at] = this.#join(task)
  }

  /** Whether a task here may match. */
  mayMatch(filter: TaskFilter): boolean {
    return (filter.tag === undefined || this.#tags.has(filter.tag)) && this.#kinds.some((kind) => suits(kind, filter))
  }

  /** Positions of those that may match, newest first, below `end`. */
  *search(filter: TaskFilter, end: number): Generator<number> {
    const may = this.#kinds.map((kind) => suits(kind, filter))
    for (let at = end - 1; at >= 0; at--) if (may[this.#kindAt[at] ?? 0] === true) yield at
  }

  /** The number of a task's kind, which has one more. */
  #join({ status, type }: VenomTask): number {
    let unused = this.#kinds.length
    for (let at = 0; at < this.#kinds.length; at++) {
      const kind = this.#kinds[at]
      if (kind === undefined) continue
      if (kind.status === status && kind.type === type) {
        kind.count++
        return at
      }
      if (kind.count === 0) unused = at
    }
    this.#kinds[unused] = { status, type, count: 1 }
    return unused
  }

  #leave(at: number): void {
    const kind = this.#kinds[this.#kindAt[at] ?? 0]
    if (kind !== undefined) kind.count--
  }
}

/**
 * Ids by age, in chunks that know how many of which status, type and tag they hold: a search passes over
 * those where nothing can match. All but a search cost O(log n); a few bytes a task.
 */
export class AgeIndex {
  readonly #find: (id: TaskId) => VenomTask | undefined
  /** Oldest first; none is empty. */
  readonly #chunks: Array<Chunk> = []

  /** `find` gives each task as it was told to the index last. */
  constructor(find: (id: TaskId) => VenomTask | undefined) {
    this.#find = find
  }

  /** A task whose id is new; `find` gives it already. */
  add(task: VenomTask): void {
    const { id } = task
    let at = this.#chunkAt(id)
    let chunk = this.#chunks[at]
    if (chunk === undefined || (chunk.ids.length >= capacity && this.#isNewest(at, chunk, id))) {
      // what is in order is not split: full chunks stay full
      at = this.#chunks.push((chunk = new Chunk(id))) - 1
    } else if (chunk.ids.length >= capacity) {
      const upper = this.#split(at, chunk)
      if (upper.floor <= id) chunk = upper
    }
    chunk.insert(task)
  }

  /** A change of a task: its type and its tags are never others. */
  change(before: VenomTask, after: VenomTask): void {
    if (before.status !== after.status) this.#chunks[this.#chunkAt(after.id)]?.change(after)
  }

  /** A task as it was told last; `find` gives it still. */
  remove(task: VenomTask): void {
    const at = this.#chunkAt(task.id)
    const chunk = this.#chunks[at]
    if (chunk === undefined) return
    chunk.remove(task)
    if (chunk.ids.length === 0) this.#chunks.splice(at, 1)
    else if (chunk.ids.length < capacity / 4 && !this.#merge(at - 1)) this.#merge(at)
  }

  /** Ids of tasks that may match, newest first, all below `before`. Nothing may change until it is done. */
  *newestFirst(filter: TaskFilter, before: TaskId | undefined): Generator<TaskId> {
    const newest = before === undefined ? this.#chunks.length - 1 : this.#chunkAt(before)
    for (let at = newest; at >= 0; at--) {
      const chunk = this.#chunks[at]
      if (chunk === undefined || !chunk.mayMatch(filter)) continue
      const { ids } = chunk
      const end = before === undefined || at < newest ? ids.length : positionOf(ids, before)
      for (const position of chunk.search(filter, end)) {
        const id = ids[position]
        if (id !== undefined) yield id
      }
    }
  }

  /** Where the chunk is that holds, or would hold, an id. */
  #chunkAt(id: TaskId): number {
    const chunks = this.#chunks
    let low = 0
    let high = chunks.length - 1
    // most of what is new or changes is among the newest
    if ((chunks[high]?.floor ?? id) <= id) return Math.max(high, 0)
    while (low < high) {
      const middle = (low + high + 1) >> 1
      const chunk = chunks[middle]
      if (chunk !== undefined && chunk.floor <= id) low = middle
      else high = middle - 1
    }
    return low
  }

  #isNewest(at: number, chunk: Chunk, id: TaskId): boolean {
    const last = chunk.ids.at(-1)
    return at === this.#chunks.length - 1 && last !== undefined && last < id
  }

  /** Its upper half becomes a chunk of its own. */
  #split(at: number, chunk: Chunk): Chunk {
    const ids = chunk.ids.slice(capacity / 2)
    const upper = new Chunk(ids[0] ?? chunk.floor)
    this.#move(ids, chunk, upper)
    this.#chunks.splice(at + 1, 0, upper)
    return upper
  }

  /** Puts a chunk's next one to it where both are few: a past long gone leaves no chunk for each task that stays. */
  #merge(at: number): boolean {
    const chunk = this.#chunks[at]
    const next = this.#chunks[at + 1]
    if (chunk === undefined || next === undefined || chunk.ids.length + next.ids.length > capacity / 2) return false
    this.#move([...next.ids], next, chunk)
    this.#chunks.splice(at + 1, 1)
    return true
  }

  #move(ids: ReadonlyArray<TaskId>, from: Chunk, to: Chunk): void {
    for (const id of ids) {
      const task = this.#find(id)
      if (task === undefined) continue
      from.remove(task)
      to.insert(task)
    }
  }
}
