import { type Flow, free, limitOfKey } from "../../domain/Flow.ts"
import type { Instant, TaskId, VenomTask } from "../../domain/Task.ts"
import { Groups, type StartsOf } from "./Groups.ts"
import { type Key, keyOf, type Lane, laneOf, opensAt } from "./Lane.ts"
import type { Rivals } from "./Line.ts"

/**
 * Due tasks in the order of their claims, and what is running. They come by priority, then each concurrency key in
 * its turn, then by due time and age; the flow holds back some.
 *
 * A key that has been served, or has only come, gets the last turn. So each one that waits gets an attempt before any
 * gets its second, however many tasks it has, and none waits for ever, however many keys come.
 *
 * A claim costs O(log n) for each type named by the flow of which tasks of its key wait.
 */
export class DueQueue {
  readonly #isHeld: (task: VenomTask) => boolean
  readonly #running = new Map<TaskId, VenomTask>()
  /** Those that have lanes or running attempts. */
  readonly #keys = new Map<string, Key>()
  readonly #noKey = keyOf(undefined)
  readonly #groups = new Groups()
  /** How many keys have lanes of a priority. */
  readonly #rivals = new Map<number, number>()
  #flow: Flow = free
  #lastTurn = 0
  #size = 0

  /** An entry counts as long as it is the very task that is held. */
  constructor(isHeld: (task: VenomTask) => boolean) {
    this.#isHeld = isHeld
  }

  /** Entries, the outdated ones included. */
  get size(): number {
    return this.#size
  }

  get flow(): Flow {
    return this.#flow
  }

  setFlow(flow: Flow, startsOf: StartsOf): void {
    this.#flow = flow
    const added = this.#groups.add(Object.keys(flow.types))
    for (const group of added) group.running = this.#runningOf(group.type)
    if (added.length > 0) this.#regroup()
    this.#groups.setFlow(flow, startsOf)
    for (const key of this.#keys.values()) this.#admit(key)
  }

  /** The types that may begin; all where it is undefined. */
  setTypes(types: ReadonlySet<string> | undefined): void {
    if (this.#groups.setTypes(types)) this.#regroup()
  }

  /** A due task. */
  add(task: VenomTask): void {
    this.#enter(task, undefined)
  }

  /** Takes out those that are to be claimed next, in their order; the attempts of those that `mayBegin` do begin. */
  take(now: Instant, limit: number, mayBegin: (task: VenomTask) => boolean): Array<VenomTask> {
    const begun: Array<VenomTask> = []
    while (begun.length < limit) {
      const lane = this.#firstLane(now)
      const task = lane?.tasks.peek()
      if (lane === undefined || task === undefined) break
      if (mayBegin(task)) {
        this.#start(lane, task, now)
        begun.push(task)
      } else this.#drop(lane)
    }
    return begun
  }

  /** An attempt counts as running from now on, if it did not before. */
  begin(task: VenomTask): void {
    if (this.#running.has(task.id)) return
    this.#running.set(task.id, task)
    this.#count(task, 1)
  }

  /** It counts no more. Where it has not begun after all, its start does not count either. */
  end(task: VenomTask, hasBegun: boolean): void {
    if (!this.#running.delete(task.id)) return
    if (!hasBegun) this.#groups.named(task.type)?.rate?.takeBack(task.id)
    this.#count(task, -1)
  }

  /** Whether nothing may begin until an attempt ends or the flow changes. */
  get isHeldBack(): boolean {
    return this.#flow.paused || this.#running.size >= (this.#flow.concurrency ?? Number.POSITIVE_INFINITY)
  }

  /** When the first of them may begin if nothing changes until then; infinite where none may. */
  nextStart(): Instant {
    if (this.isHeldBack) return Number.POSITIVE_INFINITY
    const first = this.#firstLane(Number.NEGATIVE_INFINITY)?.tasks.peek()
    return Math.min(first?.runAt ?? Number.POSITIVE_INFINITY, this.#groups.opensAt)
  }

  /** When the one that waits for longest was due; infinite without any. */
  oldest(): Instant {
    let oldest = Number.POSITIVE_INFINITY
    for (const lane of this.#lanes()) {
      this.#tidy(lane)
      oldest = Math.min(oldest, lane.tasks.peek()?.runAt ?? oldest)
    }
    return oldest
  }

  /** Empties the queue and gives what was in it. What is running goes on. */
  drain(): Array<VenomTask> {
    return this.#lanes().flatMap((lane) => this.#takeAll(lane))
  }

  /** Attempts that count: in all, and of the type and the key of a task. */
  running({ concurrencyKey, type }: VenomTask) {
    return {
      running: this.#running.size,
      runningOfType: this.#groups.named(type)?.running ?? this.#runningOf(type),
      runningOfKey: concurrencyKey === undefined ? 0 : (this.#keys.get(concurrencyKey)?.running ?? 0)
    }
  }

  /** When the rate of a type lets the next attempt begin; none while it lets some begin at once. */
  nextSlot(type: string): Instant | null {
    const group = this.#groups.named(type)
    return group === undefined || opensAt(group) === Number.NEGATIVE_INFINITY ? null : opensAt(group)
  }

  /** What may be claimed before a task: all that is not held back, and all that what holds back the task holds back. */
  rivals({ concurrencyKey, type }: VenomTask, now: Instant): ReadonlyArray<Rivals> {
    const own = this.#groups.of(type)
    return this.#lanes()
      .filter(({ at, key }) => at >= 0 || key.name === concurrencyKey)
      .filter(({ group }) => group === own || (group.running < group.limit && opensAt(group) <= now))
      .map(({ key, priority, tasks, turn }) => ({ key: key.name, priority, turn, tasks: tasks.entries() }))
  }

  /** Whether an entry is a task that waits to be claimed. */
  isWaiting(task: VenomTask): boolean {
    return this.#isHeld(task) && !this.#running.has(task.id)
  }

  /** A task comes in; where it only moves, its key keeps the turn it had. */
  #enter(task: VenomTask, kept: number | undefined): void {
    this.#size++
    const key = this.#keyOf(task.concurrencyKey)
    const group = this.#groups.of(task.type)
    let turn = kept
    let isRival = true
    for (const lane of key.lanes) {
      if (lane.priority !== task.priority) continue
      isRival = false
      turn = lane.turn
      if (lane.group !== group) continue
      lane.tasks.push(task)
      if (lane.tasks.peek() === task) this.#moved(lane)
      return
    }
    if (isRival) this.#rivals.set(task.priority, (this.#rivals.get(task.priority) ?? 0) + 1)
    group.laneCount++
    key.lanes.push(laneOf(group, key, task, turn ?? ++this.#lastTurn))
    this.#admit(key)
  }

  #start(lane: Lane, task: VenomTask, now: Instant): void {
    const { group, key, priority } = lane
    const hasRivals = (this.#rivals.get(priority) ?? 0) > 1
    group.rate?.add({ id: task.id, at: now })
    this.#drop(lane)
    if (hasRivals) {
      this.#lastTurn++
      for (const other of key.lanes) {
        if (other.priority !== priority) continue
        other.turn = this.#lastTurn
        this.#moved(other)
      }
    }
    this.#running.set(task.id, task)
    this.#count(task, 1)
  }

  #firstLane(now: Instant): Lane | undefined {
    if (this.isHeldBack) return undefined
    for (;;) {
      const lane = this.#groups.first(now)?.lanes.peek()
      if (lane === undefined || this.#tidy(lane)) return lane
    }
  }

  /** Takes out what is outdated in front; whether nothing was. */
  #tidy(lane: Lane): boolean {
    const first = lane.tasks.peek()
    if (first !== undefined && this.isWaiting(first)) return true
    for (let task = first; task !== undefined && !this.isWaiting(task); task = lane.tasks.peek()) {
      lane.tasks.pop()
      this.#size--
    }
    this.#changed(lane)
    return false
  }

  #drop(lane: Lane): void {
    lane.tasks.pop()
    this.#size--
    this.#changed(lane)
  }

  #changed(lane: Lane): void {
    if (lane.tasks.size === 0) this.#leave(lane)
    else this.#moved(lane)
  }

  /** Its place in the order may have changed. */
  #moved(lane: Lane): void {
    if (lane.at < 0) return
    lane.group.lanes.update(lane)
    this.#groups.place(lane.group)
  }

  /** A lane is no more. */
  #leave(lane: Lane): void {
    const { group, key, priority } = lane
    const { lanes } = key
    const last = lanes.pop()
    if (last !== undefined && last !== lane) lanes[lanes.indexOf(lane)] = last
    group.laneCount--
    if (lane.at >= 0) group.lanes.remove(lane)
    this.#groups.place(group)
    this.#groups.release(group)
    this.#forget(key)
    for (const other of lanes) if (other.priority === priority) return
    const rivals = (this.#rivals.get(priority) ?? 0) - 1
    if (rivals > 0) this.#rivals.set(priority, rivals)
    else this.#rivals.delete(priority)
  }

  #takeAll(lane: Lane): Array<VenomTask> {
    this.#leave(lane)
    const tasks = lane.tasks.drain()
    this.#size -= tasks.length
    return tasks
  }

  #lanes(): ReadonlyArray<Lane> {
    return [this.#noKey, ...this.#keys.values()].flatMap(({ lanes }) => lanes)
  }

  #keyOf(name: string | undefined): Key {
    if (name === undefined) return this.#noKey
    let key = this.#keys.get(name)
    if (key === undefined) this.#keys.set(name, (key = keyOf(name)))
    return key
  }

  #forget({ lanes, name, running }: Key): void {
    if (name !== undefined && lanes.length === 0 && running === 0) this.#keys.delete(name)
  }

  #runningOf(type: string): number {
    let count = 0
    for (const task of this.#running.values()) if (task.type === type) count++
    return count
  }

  #count(task: VenomTask, by: number): void {
    const group = this.#groups.named(task.type)
    if (group !== undefined) {
      group.running += by
      this.#groups.place(group)
    }
    if (task.concurrencyKey === undefined) return
    const key = this.#keyOf(task.concurrencyKey)
    key.running += by
    this.#admit(key)
    this.#forget(key)
  }

  /** The lanes of a key stand in their groups while an attempt of it may begin. */
  #admit({ lanes, name, running }: Key): void {
    const isFree = name === undefined || running < limitOfKey(this.#flow, name)
    for (const lane of lanes) {
      if (isFree === lane.at >= 0) continue
      if (isFree) lane.group.lanes.push(lane)
      else lane.group.lanes.remove(lane)
      this.#groups.place(lane.group)
    }
  }

  /** Tasks whose group is another one now go to its lanes. */
  #regroup(): void {
    for (const lane of this.#lanes()) {
      const { group, tasks } = lane
      if (group.type === undefined && tasks.entries().some(({ type }) => this.#groups.of(type) !== group)) {
        for (const task of this.#takeAll(lane)) this.#enter(task, lane.turn)
      }
    }
  }
}
