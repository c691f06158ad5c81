/** Who listens to what. */
export class Listeners<Key, Listener> {
  readonly #listeners = new Map<Key, Set<Listener>>()

  of(key: Key): Iterable<Listener> {
    return this.#listeners.get(key) ?? []
  }

  *all(): Iterable<Listener> {
    for (const listeners of this.#listeners.values()) yield* listeners
  }

  add(key: Key, listener: Listener): void {
    const listeners = this.#listeners.get(key)
    if (listeners === undefined) this.#listeners.set(key, new Set([listener]))
    else listeners.add(listener)
  }

  remove(key: Key, listener: Listener): void {
    const listeners = this.#listeners.get(key)
    if (listeners?.delete(listener) === true && listeners.size === 0) this.#listeners.delete(key)
  }
}
