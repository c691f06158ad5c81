import type { TaskStatus, VenomTask } from "../../domain/Task.ts"

type Counts = Record<TaskStatus, number>

const none: Counts = { PENDING: 0, PROCESSING: 0, COMPLETED: 0, FAILED: 0 }

/** How many tasks of each type are in each status. */
export class TypeCounts {
  readonly #counts = new Map<string, Counts>()

  /** A task is there, or in another state than before. */
  set(before: VenomTask | undefined, { status, type }: VenomTask): void {
    let counts = this.#counts.get(type)
    if (counts === undefined) this.#counts.set(type, (counts = { ...none }))
    counts[status]++
    if (before !== undefined) counts[before.status]--
  }

  delete({ status, type }: VenomTask): void {
    const counts = this.#counts.get(type)
    if (counts === undefined) return
    counts[status]--
    if (counts.PENDING + counts.PROCESSING + counts.COMPLETED + counts.FAILED === 0) this.#counts.delete(type)
  }

  get size(): number {
    return this.#counts.size
  }

  of(type: string): Readonly<Counts> {
    return { ...(this.#counts.get(type) ?? none) }
  }

  /** Types that were met first, at most so many. */
  first(limit: number): ReadonlyArray<string> {
    return Array.from(this.#counts.keys().take(limit))
  }
}
