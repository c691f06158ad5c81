import { Option } from "effect"
import type { Instant } from "../../domain/Task.ts"
import { type Entry, EntryChanged, type Put } from "../../ports/Entry.ts"
import { Heap } from "./Heap.ts"

/** An entry as it is after a change; undefined where it is gone. */
export interface EntryChange {
  readonly name: string
  readonly entry: Entry | undefined
}

const expiresFirst = (a: Entry, b: Entry): boolean => (a.expiresAt ?? 0) < (b.expiresAt ?? 0)

/** What a name begins with: its kind. */
const kindOf = (name: string): string => name.slice(0, name.indexOf("/") + 1)

/** Entries in memory, found by name, by kind and by when they expire. */
export class EntryTable {
  readonly #entries = new Map<string, Entry>()
  /** There may be a million idempotency keys beside a few schedules. */
  readonly #kinds = new Map<string, Map<string, Entry>>()
  /** Those that expire, some of them outdated: one counts only while it is what the table holds. */
  readonly #expiring = new Heap<Entry>(expiresFirst)

  constructor(entries: Iterable<Entry> = []) {
    for (const entry of entries) this.set({ name: entry.name, entry })
  }

  get(name: string): Entry | undefined {
    return this.#entries.get(name)
  }

  /** Whether it would be one that expires beyond so many entries: each takes memory until then. */
  isOneTooMany({ entry, name }: EntryChange, limit: number): boolean {
    return entry !== undefined && entry.expiresAt !== null && !this.#entries.has(name) && this.#entries.size >= limit
  }

  startingWith(prefix: string): ReadonlyArray<Entry> {
    const kind = kindOf(prefix)
    const some = kind === "" ? this.#entries : (this.#kinds.get(kind) ?? new Map<string, Entry>())
    return Array.from(some.values())
      .filter(({ name }) => name.startsWith(prefix))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  snapshot(): ReadonlyArray<Entry> {
    return Array.from(this.#entries.values())
  }

  set({ entry, name }: EntryChange): void {
    const kind = kindOf(name)
    const others = this.#kinds.get(kind) ?? new Map<string, Entry>()
    if (entry === undefined) {
      this.#entries.delete(name)
      others.delete(name)
      return
    }
    this.#entries.set(name, entry)
    this.#kinds.set(kind, others.set(name, entry))
    if (entry.expiresAt !== null) this.#expiring.push(entry)
  }

  /** Names of entries that have expired; they go by `set`, or are found again after `putBack`. */
  takeExpired(now: Instant, limit: number): ReadonlyArray<Entry> {
    const expired: Array<Entry> = []
    for (let first = this.#expiring.peek(); first !== undefined; first = this.#expiring.peek()) {
      if (expired.length === limit || (first.expiresAt ?? 0) > now) break
      this.#expiring.pop()
      if (this.#entries.get(first.name) === first) expired.push(first)
    }
    return expired
  }

  /** When the next one expires. */
  nextExpiry(): Option.Option<Instant> {
    for (let first = this.#expiring.peek(); first !== undefined; first = this.#expiring.peek()) {
      if (this.#entries.get(first.name) === first) return Option.fromNullishOr(first.expiresAt)
      this.#expiring.pop()
    }
    return Option.none()
  }

  putBack(entry: Entry): void {
    if (entry.expiresAt !== null && this.#entries.get(entry.name) === entry) this.#expiring.push(entry)
  }
}

/** What a `Put` makes of the newest state of its entry; or what is in its way. */
export const decide = (newest: Entry | undefined, put: Put): EntryChange | EntryChanged => {
  const { expects, expiresAt, name, now, value } = put
  const present = newest !== undefined && (newest.expiresAt === null || newest.expiresAt > now) ? newest : undefined
  if ((present?.revision ?? 0) !== expects) return new EntryChanged({ name, entry: Option.fromUndefinedOr(present) })
  return { name, entry: value === undefined ? undefined : { name, value, revision: expects + 1, expiresAt } }
}
