import { isFinished, type TaskId, type VenomTask } from "../../domain/Task.ts"

/** Which unfinished task has a key that only one of them may have. */
export class UniqueKeys {
  readonly #holders = new Map<string, TaskId>()

  /** The task in whose way another one with that key would be. */
  holder({ uniqueKey }: VenomTask): TaskId | undefined {
    return uniqueKey === undefined ? undefined : this.#holders.get(uniqueKey)
  }

  /** New tasks, each whose key is taken replaced by the one that has it; `fresh` are the others. */
  withHolders(
    tasks: ReadonlyArray<VenomTask>,
    newest: (id: TaskId) => VenomTask | undefined
  ): { readonly fresh: ReadonlyArray<VenomTask>; readonly made: ReadonlyArray<VenomTask> } {
    if (tasks.every(({ uniqueKey }) => uniqueKey === undefined)) return { fresh: tasks, made: tasks }
    const fresh: Array<VenomTask> = []
    const ofKey = new Map<string, VenomTask>()
    const made = tasks.map((task) => {
      const { uniqueKey } = task
      const holder = this.holder(task)
      const other = holder === undefined ? ofKey.get(uniqueKey ?? "") : newest(holder)
      if (other !== undefined) return other
      fresh.push(task)
      if (uniqueKey !== undefined) ofKey.set(uniqueKey, task)
      return task
    })
    return { fresh, made }
  }

  /** Whether a task that is to be unfinished would have the key of another one. */
  isTaken(task: VenomTask): boolean {
    const holder = isFinished(task) ? undefined : this.holder(task)
    return holder !== undefined && holder !== task.id
  }

  /** To be told of each task in its newest state. */
  note(task: VenomTask): void {
    const { uniqueKey } = task
    if (uniqueKey === undefined) return
    if (!isFinished(task)) this.#holders.set(uniqueKey, task.id)
    else this.forget(task)
  }

  /** A task that is no more, or was never there. */
  forget({ id, uniqueKey }: VenomTask): void {
    if (uniqueKey !== undefined && this.#holders.get(uniqueKey) === id) this.#holders.delete(uniqueKey)
  }
}
