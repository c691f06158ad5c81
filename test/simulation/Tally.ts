/** How often each thing has happened: what a run of histories has covered, and what never. */
export class Tally {
  readonly #counts = new Map<string, number>()

  count(what: string, times = 1): void {
    this.#counts.set(what, this.of(what) + times)
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0
  }

  add(other: Tally): void {
    for (const [what, times] of other.#counts) this.count(what, times)
  }

  get all(): ReadonlyArray<readonly [what: string, times: number]> {
    return Array.from(this.#counts).sort(([a], [b]) => (a < b ? -1 : 1))
  }
}
