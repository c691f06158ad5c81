/** Each class is so much longer than the one before: what is read out is off by a tenth at most. */
const growth = 1.2
const shortest = 0.0001
const classes = 128

/** A few thousand durations or a few million in the same small room: counts by length. */
export class Durations {
  /** Where nothing was added there is no room for it either. */
  #counts: Uint32Array | undefined
  #total = 0

  /** Seconds. */
  add(duration: number): void {
    this.#counts ??= new Uint32Array(classes)
    const at = duration <= shortest ? 0 : Math.ceil(Math.log(duration / shortest) / Math.log(growth))
    const index = Math.min(at, classes - 1)
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#total++
  }

  /** So many of a hundred took at most so long, in seconds; `undefined` where there were none. */
  percentile(percent: number): number | undefined {
    if (this.#counts === undefined) return undefined
    const rank = Math.max(1, Math.ceil((this.#total * percent) / 100))
    let seen = 0
    for (const [index, count] of this.#counts.entries()) {
      seen += count
      if (seen >= rank) return index === 0 ? 0 : shortest * growth ** (index - 0.5)
    }
    return undefined
  }
}
