import type { TaskId, TaskStatus, VenomTask } from "../../domain/Task.ts"
import type { TaskFilter } from "../../ports/StateRepository.ts"

/** Ids in a chunk at most: few enough to be looked at one by one, enough to be worth passing over. */
const capacity = 128

type Counts = Record<TaskStatus, number>

const none = (): Counts => ({ PENDING: 0, PROCESSING: 0, COMPLETED: 0, FAILED: 0 })
const total = (counts: Counts): number => counts.PENDING + counts.PROCESSING + counts.COMPLETED + counts.FAILED

const positionOf = (ids: ReadonlyArray<TaskId>, id: TaskId): number => {
  let low = 0
  let high = ids.length
  while (low < high) {
    const middle = (low + high) >> 1
    const candidate = ids[middle]
    if (candidate !== undefined && candidate < id) low = middle + 1
    else high = middle
  }
  return low
}

/** Neighbours by age, and what they are. */
class Chunk {
  /** Oldest first. */
  readonly ids: Array<TaskId> = []
  /** What is below it belongs to the chunk before, if there is one. */
  readonly floor: TaskId
  readonly #statuses = none()
  readonly #types = new Map<string, Counts>()
  readonly #tags = new Map<string, number>()

  constructor(floor: TaskId) {
    this.floor = floor
  }

  mayMatch({ status, tag, type }: TaskFilter): boolean {
    const counts = type === undefined ? this.#statuses : this.#types.get(type)
    return (
      counts !== undefined && (status === undefined || counts[status] > 0) && (tag === undefined || this.#tags.has(tag))
    )
  }

  count({ status, tags, type }: VenomTask): void {
    this.#statuses[status]++
    let ofType = this.#types.get(type)
    if (ofType === undefined) this.#types.set(type, (ofType = none()))
    ofType[status]++
    for (const tag of tags) this.#tags.set(tag, (this.#tags.get(tag) ?? 0) + 1)
  }

  discount({ status, tags, type }: VenomTask): void {
    this.#statuses[status]--
    const ofType = this.#types.get(type)
    if (ofType !== undefined && --ofType[status] === 0 && total(ofType) === 0) this.#types.delete(type)
    for (const tag of tags) {
      const left = (this.#tags.get(tag) ?? 0) - 1
      if (left > 0) this.#tags.set(tag, left)
      else this.#tags.delete(tag)
    }
  }

  /** A task of this chunk is in another status. */
  move(before: VenomTask, after: VenomTask): void {
    this.#statuses[before.status]--
    this.#statuses[after.status]++
    const ofType = this.#types.get(after.type)
    if (ofType === undefined) return
    ofType[before.status]--
    ofType[after.status]++
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
      // ids nearly always come in order: full chunks stay full
      at = this.#chunks.push((chunk = new Chunk(id))) - 1
    } else if (chunk.ids.length >= capacity) {
      const upper = this.#split(at, chunk)
      if (upper.floor <= id) chunk = upper
    }
    chunk.ids.splice(positionOf(chunk.ids, id), 0, id)
    chunk.count(task)
  }

  /** A change of a task: its type and its tags are never others. */
  change(before: VenomTask, after: VenomTask): void {
    if (before.status !== after.status) this.#chunks[this.#chunkAt(after.id)]?.move(before, after)
  }

  /** A task as it was told last; `find` gives it still. */
  remove(task: VenomTask): void {
    const at = this.#chunkAt(task.id)
    const chunk = this.#chunks[at]
    if (chunk === undefined) return
    chunk.ids.splice(positionOf(chunk.ids, task.id), 1)
    chunk.discount(task)
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
      for (let n = end - 1; n >= 0; n--) {
        const id = ids[n]
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
    const [floor = chunk.floor, ...rest] = chunk.ids.splice(capacity / 2)
    const upper = new Chunk(floor)
    this.#take(upper, chunk, [floor, ...rest])
    this.#chunks.splice(at + 1, 0, upper)
    return upper
  }

  /** Puts a chunk's next one to it where both are few: a past long gone leaves no chunk for each task that stays. */
  #merge(at: number): boolean {
    const chunk = this.#chunks[at]
    const next = this.#chunks[at + 1]
    if (chunk === undefined || next === undefined || chunk.ids.length + next.ids.length > capacity / 2) return false
    this.#take(chunk, next, next.ids)
    this.#chunks.splice(at + 1, 1)
    return true
  }

  #take(to: Chunk, from: Chunk, ids: ReadonlyArray<TaskId>): void {
    to.ids.push(...ids)
    for (const id of ids) {
      const task = this.#find(id)
      if (task === undefined) continue
      from.discount(task)
      to.count(task)
    }
  }
}
