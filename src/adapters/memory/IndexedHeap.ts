/** What stands in an `IndexedHeap` knows where; −1 outside. */
export interface Placed {
  at: number
}

/** A binary heap of what may change its place in the order, or leave: O(log n) each. */
export class IndexedHeap<A extends Placed> {
  readonly #items: Array<A> = []
  readonly #isBefore: (a: A, b: A) => boolean

  constructor(isBefore: (a: A, b: A) => boolean) {
    this.#isBefore = isBefore
  }

  peek(): A | undefined {
    return this.#items[0]
  }

  push(item: A): void {
    item.at = this.#items.length
    this.#items.push(item)
    this.#rise(item)
  }

  /** To be called for each item that may come earlier or later than before. */
  update(item: A): void {
    this.#rise(item)
    this.#sink(item)
  }

  remove(item: A): void {
    const last = this.#items.pop()
    if (last !== undefined && last !== item) {
      this.#put(last, item.at)
      this.update(last)
    }
    item.at = -1
  }

  #put(item: A, at: number): void {
    this.#items[at] = item
    item.at = at
  }

  #rise(item: A): void {
    let { at } = item
    while (at > 0) {
      const parentAt = (at - 1) >> 1
      const parent = this.#items[parentAt]
      if (parent === undefined || !this.#isBefore(item, parent)) break
      this.#put(parent, at)
      at = parentAt
    }
    this.#put(item, at)
  }

  #sink(item: A): void {
    const items = this.#items
    let { at } = item
    for (;;) {
      let childAt = 2 * at + 1
      let child = items[childAt]
      if (child === undefined) break
      const right = items[childAt + 1]
      if (right !== undefined && this.#isBefore(right, child)) {
        child = right
        childAt++
      }
      if (!this.#isBefore(child, item)) break
      this.#put(child, at)
      at = childAt
    }
    this.#put(item, at)
  }
}
