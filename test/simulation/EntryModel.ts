import type { Schema } from "effect"
import type { Entry } from "../../src/ports/Entry.ts"
import type { Ending } from "./Known.ts"

/** One change of an entry that was asked for. Values tell them apart. */
interface Asked {
  readonly name: string
  /** Undefined where it is put in the place of any other. */
  readonly expects: number | undefined
  answer: "under way" | "done" | "refused" | "unknown"
  /** Refused, and the store was whole again after that. */
  void: boolean
  /** The new task that is in the same record. */
  readonly task: string | undefined
}

interface Known {
  /** As it was last visible. */
  last: Entry | undefined
  /** The least revision that a crash of the machine must leave. */
  safe: number
  /** Where syncs come late: what became visible in this life, and when. */
  recent: ReadonlyArray<{ readonly at: number; readonly revision: number }>
}

/** What the outside knows of the entries: changes that were asked for, one upon the other, and their answers. */
export class EntryModel {
  readonly #fail: (violation: string) => void
  readonly #asked = new Map<string, Asked>()
  readonly #known = new Map<string, Known>()

  constructor(fail: (violation: string) => void) {
    this.#fail = fail
  }

  /** The revision that a client who reads would name. */
  revision(name: string): number {
    return this.#of(name).last?.revision ?? 0
  }

  /** Returns the value that stands for this change. */
  asks(name: string, task?: string): number {
    const value = this.#asked.size + 1
    this.#ask(value, { name, expects: this.revision(name), task })
    return value
  }

  /** In the place of whatever is there. */
  asksInAnyCase(name: string, value: Schema.Json): void {
    this.#ask(value, { name, expects: undefined, task: undefined })
  }

  #ask(value: Schema.Json, asked: Pick<Asked, "name" | "expects" | "task">): void {
    this.#asked.set(JSON.stringify(value), { ...asked, answer: "under way", void: false })
  }

  answered(value: Schema.Json, answer: Asked["answer"]): void {
    const asked = this.#asked.get(JSON.stringify(value))
    if (asked === undefined) return
    asked.answer = answer
    if (answer === "done" && !this.#hasCome(value, asked))
      this.#fail(`entry ${asked.name} was changed and is not visible`)
  }

  /** Or one that was asked for later. */
  #hasCome(value: Schema.Json, { expects, name }: Asked): boolean {
    if (expects !== undefined) return this.revision(name) > expects
    const order = Array.from(this.#asked.keys())
    return order.indexOf(JSON.stringify(this.#of(name).last?.value)) >= order.indexOf(JSON.stringify(value))
  }

  /** A change came too late, because the entry is so. */
  isToldOf(entry: Entry): void {
    if (this.revision(entry.name) < entry.revision)
      this.#fail(`revision ${entry.revision} of entry ${entry.name} was told of and is not visible`)
  }

  /** All entries that are visible, and whether a task is there or has been. */
  sees(entries: ReadonlyArray<Entry>, at: number, syncsLate: boolean, hasTask: (key: string) => boolean): void {
    for (const entry of entries) {
      const known = this.#of(entry.name)
      const { last } = known
      if (last === entry) continue
      const asked = this.#check(entry, hasTask)
      if (asked?.answer === "refused") this.#fail(`a refused change of entry ${entry.name} is visible`)
      if (last !== undefined && entry.revision <= last.revision)
        this.#fail(`entry ${entry.name} went from revision ${last.revision} to ${entry.revision}`)
      known.last = entry
      if (syncsLate) known.recent = [...known.recent, { at, revision: entry.revision }]
      else known.safe = entry.revision
    }
  }

  /** Storage is whole again. */
  mended(): void {
    for (const asked of this.#asked.values()) asked.void ||= asked.answer === "refused"
  }

  /** Somebody has deleted a file: of what was so until now a crash may leave what it likes. */
  fileRemoved(): void {
    for (const asked of this.#asked.values()) {
      asked.void = false
      if (asked.answer === "refused") asked.answer = "unknown"
    }
  }

  ends(sureUntil: number): void {
    for (const known of this.#known.values()) {
      known.safe = known.recent.findLast(({ at }) => at <= sureUntil)?.revision ?? known.safe
      known.recent = []
    }
    for (const asked of this.#asked.values()) if (asked.answer === "under way") asked.answer = "unknown"
  }

  /** What the next life found; `mayMiss` where the directory was removed from outside. */
  recovers(
    entries: ReadonlyArray<Entry>,
    ending: Ending,
    options: {
      readonly isDurable: boolean
      readonly refusedIsCut: boolean
      readonly mayMiss: boolean
      readonly hasTask: (key: string) => boolean
    }
  ): void {
    const found = new Map(entries.map((entry) => [entry.name, entry]))
    for (const entry of entries) {
      const asked = this.#check(entry, options.hasTask)
      if (asked === undefined) continue
      if (asked.void)
        this.#fail(`a change of entry ${entry.name} was refused, the store was whole again, and it is back`)
      if (asked.answer === "refused" && options.refusedIsCut)
        this.#fail(`a refused change of entry ${entry.name} is back`)
      if (asked.answer === "refused") asked.answer = "unknown"
    }
    for (const [name, known] of this.#known) {
      const entry = found.get(name)
      const floor = options.mayMiss ? 0 : ending === "power" ? known.safe : (known.last?.revision ?? 0)
      if ((entry?.revision ?? 0) < floor)
        this.#fail(`entry ${name} went back from revision ${floor} to ${entry?.revision}`)
      known.last = entry
      if (options.isDurable) known.safe = entry?.revision ?? 0
      else if (options.mayMiss) known.safe = 0
    }
  }

  #check(entry: Entry, hasTask: (key: string) => boolean): Asked | undefined {
    const asked = this.#asked.get(JSON.stringify(entry.value))
    if (asked?.name !== entry.name || (asked.expects ?? entry.revision - 1) + 1 !== entry.revision) {
      this.#fail(`nobody asked for entry ${JSON.stringify(entry)}`)
      return undefined
    }
    if (asked.task !== undefined && !hasTask(asked.task))
      this.#fail(`entry ${entry.name} is there without ${asked.task}`)
    return asked
  }

  #of(name: string): Known {
    const known = this.#known.get(name) ?? { last: undefined, safe: 0, recent: [] }
    this.#known.set(name, known)
    return known
  }
}
