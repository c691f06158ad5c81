import { directory, type History } from "./History.ts"

/** What is to be read where the newest dump cannot be: the one before, and the journal since then. */
export class Fallback {
  readonly #history: History
  /** Whether a trouble or a crash may have left something that the newest dump alone has. */
  #newestIsAlone = false
  /** The previous dump when storage was last well after that. */
  #doubtful: Uint8Array | undefined

  /** Both dumps when somebody deleted a file: the journal since then may not be whole. */
  #exposed: ReadonlyArray<Uint8Array | undefined> = []

  constructor(history: History) {
    this.#history = history
  }

  /** The power has failed, or something was damaged. */
  doubt(): void {
    this.#newestIsAlone = true
  }

  /** Somebody has deleted a file. */
  expose(): void {
    this.#exposed = this.#dumps
  }

  /** At each moment of a life. */
  sees(isWritable: boolean): void {
    if (isWritable && this.#newestIsAlone) this.#doubtful = this.#dumps[1]
    this.#newestIsAlone = !isWritable
  }

  /** Changes a bit of the newest dump, where both were written since the last trouble. Whether it did. */
  damageNewest(): boolean {
    const { chance, disk } = this.#history
    const [dump, previous] = this.#dumps
    if (dump === undefined || previous === undefined || this.#newestIsAlone) return false
    // both names may be one file
    if (
      [dump, this.#doubtful, ...this.#exposed].some(
        (other) => other !== undefined && Buffer.compare(previous, other) === 0
      )
    )
      return false
    this.doubt()
    disk.damage(`${directory}/state_dump.json`, chance.between(Math.floor(dump.length / 2), dump.length - 1))
    return true
  }

  /** The newest, and the one before. */
  get #dumps(): ReadonlyArray<Uint8Array | undefined> {
    const files = this.#history.disk.files(directory)
    return [files.get("state_dump.json"), files.get("state_dump.prev.json")]
  }
}
