import { type Flow, free, limitOfType, type Rate } from "../../domain/Flow.ts"
import type { Instant } from "../../domain/Task.ts"
import { IndexedHeap } from "./IndexedHeap.ts"
import { type Group, groupFirst, groupOf, opensAt, opensFirst } from "./Lane.ts"
import { RateWindow, type Start } from "./RateWindow.ts"

/** What is known of the starts of types whose rate is new. */
export type StartsOf = (rates: ReadonlyMap<string, Rate>) => ReadonlyMap<string, ReadonlyArray<Start>>

/** The types that the flow names, each a group, and all others together; and which of them may begin an attempt. */
export class Groups {
  /** Those that the flow names, and those it has named while something of theirs waits. */
  readonly #groups = new Map<string, Group>()
  readonly #others = groupOf()
  /** Of those that the flow does not name, what is of no type that may begin. */
  readonly #held: Group = { ...groupOf(), limit: 0 }
  readonly #open = new IndexedHeap<Group>(groupFirst)
  /** Their rates let nothing begin until a time, which may have come. */
  readonly #rated = new IndexedHeap<Group>(opensFirst)
  #flow: Flow = free
  #types: ReadonlySet<string> | undefined = undefined
  #now = Number.POSITIVE_INFINITY

  /** The one that tasks of a type are in. */
  of(type: string): Group {
    return this.#groups.get(type) ?? (this.#mayBegin(type) ? this.#others : this.#held)
  }

  /** The one of a type alone. */
  named(type: string): Group | undefined {
    return this.#groups.get(type)
  }

  /** Makes groups for types that have none, and gives these. */
  add(types: ReadonlyArray<string>): ReadonlyArray<Group & { readonly type: string }> {
    return types
      .filter((type) => !this.#groups.has(type))
      .map((type) => {
        const group = { ...groupOf(), type }
        this.#groups.set(type, group)
        return group
      })
  }

  /** Of all types that it names there are groups. */
  setFlow(flow: Flow, startsOf: StartsOf): void {
    this.#flow = flow
    this.#setRates(startsOf)
    this.#limit()
    // none of the starts may lie in the future
    this.#now = Number.POSITIVE_INFINITY
  }

  /** The types that may begin; all where it is undefined. Whether it changes anything. */
  setTypes(types: ReadonlySet<string> | undefined): boolean {
    if (types === this.#types) return false
    this.#types = types
    this.#limit()
    return true
  }

  /** The one with the most urgent task; at the beginning of time no rate lets anything begin. */
  first(now: Instant): Group | undefined {
    if (now !== Number.NEGATIVE_INFINITY) this.#turnTo(now)
    for (let rated = this.#rated.peek(); rated !== undefined && opensAt(rated) <= now; rated = this.#rated.peek()) {
      this.#stand(rated, this.#open)
    }
    let group = this.#open.peek()
    for (; group !== undefined && opensAt(group) > now; group = this.#open.peek()) this.#stand(group, this.#rated)
    return group
  }

  /** When the first of those may begin that wait for their rate; it may have come. */
  get opensAt(): Instant {
    const rated = this.#rated.peek()
    return rated === undefined ? Number.POSITIVE_INFINITY : opensAt(rated)
  }

  /** To be called after each change of a group: it stands among the others while something of it may begin. */
  place(group: Group): void {
    if (group.lanes.peek() === undefined || group.running >= group.limit) this.#stand(group, undefined)
    else this.#stand(group, opensAt(group) === Number.NEGATIVE_INFINITY ? this.#open : this.#rated)
  }

  /** One that the flow names no more is let go as soon as nothing of it waits. */
  release({ laneCount, type }: Group): void {
    if (type !== undefined && laneCount === 0 && !Object.hasOwn(this.#flow.types, type)) this.#groups.delete(type)
  }

  #mayBegin(type: string): boolean {
    return this.#types === undefined || this.#types.has(type)
  }

  #limit(): void {
    for (const [type, group] of this.#groups) {
      group.limit = this.#mayBegin(type) ? limitOfType(this.#flow, type) : 0
      this.place(group)
      this.release(group)
    }
  }

  #stand(group: Group, heap: Group["heap"]): void {
    if (group.heap === heap) heap?.update(group)
    else {
      group.heap?.remove(group)
      heap?.push(group)
      group.heap = heap
    }
  }

  #turnTo(now: Instant): void {
    if (now < this.#now) {
      for (const group of this.#groups.values()) {
        group.rate?.turnBack(now)
        this.place(group)
      }
    }
    this.#now = now
  }

  #setRates(startsOf: StartsOf): void {
    const changed = new Map<string, Rate>()
    for (const [type, group] of this.#groups) {
      const rate = this.#flow.types[type]?.rate
      if (rate === undefined) group.rate = undefined
      else if (rate.limit !== group.rate?.rate.limit || rate.per !== group.rate.rate.per) changed.set(type, rate)
    }
    if (changed.size === 0) return
    const found = startsOf(changed)
    for (const [type, rate] of changed) {
      const group = this.#groups.get(type)
      const starts = [...(group?.rate?.starts ?? []), ...(found.get(type) ?? [])]
      if (group !== undefined) group.rate = new RateWindow(rate, starts)
    }
  }
}
