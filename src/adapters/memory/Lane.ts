import type { VenomTask } from "../../domain/Task.ts"
import { Heap } from "./Heap.ts"
import { IndexedHeap } from "./IndexedHeap.ts"
import type { RateWindow } from "./RateWindow.ts"

/** Due tasks of one key and priority, and of one group. */
export interface Lane {
  readonly group: Group
  readonly key: Key
  readonly priority: number
  /** In what order keys come at a priority: the same in all lanes of a key and a priority. */
  turn: number
  /** First those that were due first; some of them are outdated. */
  readonly tasks: Heap<VenomTask>
  /** In its group; outside while no attempt of its key may begin. */
  at: number
}

/** What shares a concurrency key; without a name, all that has none. */
export interface Key {
  readonly name: string | undefined
  readonly lanes: Array<Lane>
  running: number
}

/** A type that the flow names; without one, all others. */
export interface Group {
  readonly type: string | undefined
  /** Of keys that are free. */
  readonly lanes: IndexedHeap<Lane>
  /** Of all keys. */
  laneCount: number
  running: number
  limit: number
  rate: RateWindow | undefined
  /** Where it stands; nowhere while nothing of it may begin. */
  heap: IndexedHeap<Group> | undefined
  at: number
}

export const dueFirst = (a: VenomTask, b: VenomTask): boolean => (a.runAt !== b.runAt ? a.runAt < b.runAt : a.id < b.id)

const laneFirst = (a: Lane, b: Lane): boolean => {
  if (a.priority !== b.priority) return a.priority < b.priority
  if (a.turn !== b.turn) return a.turn < b.turn
  const [ofA, ofB] = [a.tasks.peek(), b.tasks.peek()]
  return ofA !== undefined && ofB !== undefined && dueFirst(ofA, ofB)
}

export const groupFirst = (a: Group, b: Group): boolean => {
  const [ofA, ofB] = [a.lanes.peek(), b.lanes.peek()]
  return ofA !== undefined && ofB !== undefined && laneFirst(ofA, ofB)
}

export const opensFirst = (a: Group, b: Group): boolean => opensAt(a) < opensAt(b)

/** When its rate lets the next attempt begin. */
export const opensAt = ({ rate }: Group): number => rate?.opensAt ?? Number.NEGATIVE_INFINITY

export const laneOf = (group: Group, key: Key, task: VenomTask, turn: number): Lane => {
  const tasks = new Heap(dueFirst)
  tasks.push(task)
  return { group, key, priority: task.priority, turn, tasks, at: -1 }
}

export const keyOf = (name: string | undefined): Key => ({ name, lanes: [], running: 0 })

export const groupOf = (type?: string): Group => ({
  type,
  lanes: new IndexedHeap(laneFirst),
  laneCount: 0,
  running: 0,
  limit: Number.POSITIVE_INFINITY,
  rate: undefined,
  heap: undefined,
  at: -1
})
