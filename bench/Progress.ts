/** Counts what is done, and lets one wait until so much is. */
export class Progress {
  #done = 0
  #target = Number.POSITIVE_INFINITY
  #reached: (() => void) | undefined

  get done(): number {
    return this.#done
  }

  readonly add = (count: number): void => {
    this.#done += count
    if (this.#done >= this.#target) this.#reached?.()
  }

  /** One waits at a time. */
  async until(target: number): Promise<void> {
    if (this.#done >= target) return
    this.#target = target
    await new Promise<void>((resolve) => (this.#reached = resolve))
    this.#target = Number.POSITIVE_INFINITY
  }
}
