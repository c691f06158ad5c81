import { Effect } from "effect"
import { type Flow, free, type TypeLimits } from "../../domain/Flow.ts"
import * as Lifecycle from "../../domain/Lifecycle.ts"
import type { TaskId, VenomTask } from "../../domain/Task.ts"
import type { Entry } from "../../ports/Entry.ts"
import { type EntryChange, EntryTable } from "../memory/EntryTable.ts"
import { TaskTable } from "../memory/TaskTable.ts"
import { UniqueKeys } from "../memory/UniqueKeys.ts"
import * as FlowEntry from "./FlowEntry.ts"

const removed = "removed"

/**
 * The durable state, and above it the changes that are decided and not yet durable. The next change of a
 * task is decided on its newest state; readers see the durable one.
 */
export class Overlay {
  readonly table: TaskTable
  readonly entries: EntryTable
  /** In the newest state of each task. */
  readonly unique = new UniqueKeys()
  readonly #pendingEntries = new Map<string, EntryChange>()
  readonly #pending = new Map<TaskId, VenomTask | typeof removed>()
  #added = 0
  /** Those that have finished in the durable state and not in the newest one. */
  readonly #reopened = new Set<TaskId>()
  #removed = 0
  #flow: Flow = free

  constructor(entries: Iterable<Entry>, limits: TypeLimits) {
    this.table = new TaskTable(limits, () => this.#staged())
    this.entries = new EntryTable(entries)
  }

  /** A task that was read at the start. */
  begin(task: VenomTask): void {
    this.table.set(task)
    this.unique.note(task)
  }

  /** To be run once when every task has been read: what the flow allows depends on them. */
  get beginFlow(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#flow = FlowEntry.read(this.entries.get(FlowEntry.name))
      return this.table.knowingStarts(
        this.#flow,
        Effect.sync(() => {
          this.table.flow = this.#flow
        })
      )
    })
  }

  /** The durable one; claims go by the newest one. */
  get flow(): Flow {
    return this.#flow
  }

  /** The newest state of an entry. */
  entry(name: string): Entry | undefined {
    const staged = this.#pendingEntries.get(name)
    return staged === undefined ? this.entries.get(name) : staged.entry
  }

  isEntryPending(name: string): boolean {
    return this.#pendingEntries.has(name)
  }

  stageEntry(change: EntryChange): void {
    this.#pendingEntries.set(change.name, change)
    // once a pause is durable nothing may begin that was claimed while it was on its way
    if (change.name === FlowEntry.name) this.table.flow = FlowEntry.read(change.entry)
  }

  /** The staged state of an entry is durable. */
  revealEntry(change: EntryChange): void {
    this.entries.set(change)
    if (change.name === FlowEntry.name) this.#flow = FlowEntry.read(change.entry)
    if (this.#pendingEntries.get(change.name) === change) this.#pendingEntries.delete(change.name)
  }

  /** Unfinished tasks, those to come included. */
  get unfinished(): number {
    return this.table.unfinished + this.#added + this.#reopened.size
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

  stageNew(task: VenomTask): void {
    this.#added++
    this.stage(task)
  }

  /** The newest state of a task that is there. */
  stage(task: VenomTask): void {
    this.#pending.set(task.id, task)
    this.unique.note(task)
    this.#noteReopened(task.id, task)
  }

  /** A finished task, and not pending, is to be no more. */
  stageRemoval(id: TaskId): void {
    this.#removed++
    this.#pending.set(id, removed)
  }

  /** The staged state of a task is durable: readers see it. */
  reveal(task: VenomTask): void {
    if (this.table.set(task) === "added") this.#added--
    if (this.#pending.get(task.id) === task) this.#pending.delete(task.id)
    this.#noteReopened(task.id, this.newest(task.id))
  }

  /** The removal of a task is durable. */
  remove(id: TaskId): void {
    this.#removed--
    this.#pending.delete(id)
    this.table.delete(id)
  }

  #noteReopened(id: TaskId, newest: VenomTask | undefined): void {
    const durable = this.table.get(id)
    if (durable !== undefined && newest !== undefined && Lifecycle.isReopened(durable, newest)) this.#reopened.add(id)
    else this.#reopened.delete(id)
  }

  *#staged(): Generator<VenomTask> {
    for (const staged of this.#pending.values()) if (staged !== removed) yield staged
  }

  /** Nothing of what is staged has happened. */
  drop(): void {
    const dropped = [...this.#pending]
    this.#pending.clear()
    this.#added = 0
    this.#removed = 0
    this.#reopened.clear()
    for (const [id, staged] of dropped) {
      if (staged !== removed) this.unique.forget(staged)
      const task = this.table.get(id)
      if (task !== undefined) this.unique.note(task)
      this.table.putBack(id)
    }
    for (const { name } of this.#pendingEntries.values()) {
      const entry = this.entries.get(name)
      if (entry !== undefined) this.entries.putBack(entry)
    }
    if (this.#pendingEntries.has(FlowEntry.name)) this.table.flow = this.#flow
    this.#pendingEntries.clear()
  }
}
