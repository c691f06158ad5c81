import * as Dump from "../../src/adapters/file/Dump.ts"
import type { VenomTask } from "../../src/domain/Task.ts"
import { directory, type History } from "./History.ts"

/**
 * Somebody deletes both dumps between two lives, and has a copy. What the journal has is not all, and must not pass for
 * it: the start is refused, or the journal goes back to the first record, or what is missing is told.
 */
export class DeletedDumps {
  readonly #history: History
  readonly #copies = new Map<string, Uint8Array>()
  #isTold = false

  constructor(history: History) {
    this.#history = history
  }

  /** They are deleted, and no start has had to do with that yet. */
  get areMissing(): boolean {
    return this.#copies.size > 0
  }

  /** A start has said that something is missing. */
  told(): void {
    this.#isTold = this.areMissing
  }

  delete(): void {
    const { disk, model, note, tally } = this.#history
    if (model.mayMiss || !model.hasSafe || this.areMissing) return
    note("somebody deletes the dumps")
    tally.count("deleted dumps")
    this.#isTold = false
    for (const name of [Dump.fileName, Dump.previousFileName]) {
      const content = disk.files(directory).get(name)
      if (content === undefined) continue
      this.#copies.set(name, content.slice())
      disk.removeFile(`${directory}/${name}`)
    }
  }

  /** A start was not refused, and shows these. */
  started(tasks: ReadonlyArray<VenomTask>): void {
    const { model, tally } = this.#history
    if (!this.areMissing) return
    if (tasks.length === 0 && !model.mayMiss && !this.#isTold)
      this.#history.fail("the dumps are gone, and it starts as if there had never been a task")
    tally.count("deleted dumps, and the journal has it all")
    this.#copies.clear()
    this.#history.fileRemoved()
  }

  /** A start was refused: they are brought back. */
  refused(): void {
    const { disk, tally } = this.#history
    if (!this.areMissing) return
    tally.count("deleted dumps, and a start refused")
    disk.putDirectory(directory)
    for (const [name, content] of this.#copies) {
      if (!disk.files(directory).has(name)) disk.put(`${directory}/${name}`, content)
    }
    this.#copies.clear()
  }
}
