/** A binary heap: O(log n) to push and pop, O(1) to look at the least. */
export class Heap<A> {
  readonly #items: Array<A> = []
  readonly #isBefore: (a: A, b: A) => boolean

  constructor(isBefore: (a: A, b: A) => boolean) {
    this.#isBefore = isBefore
  }

  get size(): number {
    return this.#items.length
  }

  peek(): A | undefined {
    return this.#items[0]
  }

  /** What is in it now, in no order. */
  entries(): ReadonlyArray<A> {
    return this.#items.slice()
  }

  /** Empties the heap and gives what was in it, in no order. */
  drain(): Array<A> {
    return this.#items.splice(0)
  }

  push(item: A): void {
    const items = this.#items
    let at = items.length
    items.push(item)
    while (at > 0) {
      const parentAt = (at - 1) >> 1
      const parent = items[parentAt]
      if (parent === undefined || !this.#isBefore(item, parent)) break
      items[at] = parent
      at = parentAt
    }
    items[at] = item
  }

  pop(): A | undefined {
    const items = this.#items
    const least = items[0]
    const last = items.pop()
    if (last === undefined || items.length === 0) return least
    let at = 0
    for (;;) {
      let childAt = 2 * at + 1
      let child = items[childAt]
      if (child === undefined) break
      const right = items[childAt + 1]
      if (right !== undefined && this.#isBefore(right, child)) {
        child = right
        childAt++
      }
      if (!this.#isBefore(child, last)) break
      items[at] = child
      at = childAt
    }
    items[at] = last
    return least
  }
}
