import type { TaskId, VenomTask } from "../../domain/Task.ts"
import { TaskTable } from "../memory/TaskTable.ts"

const removed = "removed"

/**
 * The durable state, and above it the changes that are decided and not yet durable. The next change of a
 * task is decided on its newest state; readers see the durable one.
 */
export class Overlay {
  readonly table = new TaskTable()
  readonly #pending = new Map<TaskId, VenomTask | typeof removed>()
  #added = 0
  #removed = 0

  constructor(tasks: Iterable<VenomTask>) {
    for (const task of tasks) this.table.set(task)
  }

  /** Unfinished tasks, those to come included. */
  get unfinished(): number {
    return this.table.unfinished + this.#added
  }

  /** Finished tasks, those about to be removed left out. */
  get finished(): number {
    return this.table.finished - this.#removed
  }

  newest(id: TaskId): VenomTask | undefined {
    const staged = this.#pending.get(id) ?? this.table.get(id)
    return staged === removed ? undefined : staged
  }

  isPending(id: TaskId): boolean {
    return this.#pending.has(id)
  }

  stage(task: VenomTask): void {
    if (this.newest(task.id) === undefined) this.#added++
    this.#pending.set(task.id, task)
  }

  /** A finished task, and not pending, is to be no more. */
  stageRemoval(id: TaskId): void {
    this.#removed++
    this.#pending.set(id, removed)
  }

  /** The staged state of a task is durable: readers see it. */
  reveal(task: VenomTask): void {
    if (this.table.get(task.id) === undefined) this.#added--
    this.table.set(task)
    if (this.#pending.get(task.id) === task) this.#pending.delete(task.id)
  }

  /** The removal of a task is durable. */
  remove(id: TaskId): void {
    this.#removed--
    this.#pending.delete(id)
    this.table.delete(id)
  }

  /** Nothing of what is staged has happened. */
  drop(): void {
    const ids = [...this.#pending.keys()]
    this.#pending.clear()
    this.#added = 0
    this.#removed = 0
    for (const id of ids) this.table.putBack(id)
  }
}
