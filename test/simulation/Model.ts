import { isFinished, type TaskRequest, type TaskStatus, type VenomTask } from "../../src/domain/Task.ts"
import { type Ending, type Known, submitted, survival } from "./Known.ts"
import * as Retention from "./Retention.ts"
import type { Tally } from "./Tally.ts"
import * as TaskChecks from "./TaskChecks.ts"
import { brief } from "./TaskChecks.ts"
import { keyOf, type Workload } from "./Workload.ts"

/**
 * What the outside has been told, and so may rely on. It is told everything that is visible at every
 * moment, and holds each moment, and each life, to those before.
 */
export class Model {
  readonly #workload: Workload
  readonly #tally: Tally
  readonly #fail: (violation: string) => void
  readonly #known = new Map<string, Known>()
  readonly #keys = new Map<string, string>()
  #visible = 0
  /** The data directory was removed from outside: until storage was mended so often nothing can be asked of a crash. */
  #lossUntilMended = 0
  #removedInThisLife = false
  #isOpen = false
  #syncsLate = false
  #retention = Retention.forEver
  /** A start found the disk unwell: what it shows is not sure to be on disk. */
  #showsUnsure = false
  /** Somebody has deleted a file, and no start has been well since. */
  #isExposed = false
  #isStopping = false

  constructor(workload: Workload, tally: Tally, fail: (violation: string) => void) {
    this.#workload = workload
    this.#tally = tally
    this.#fail = fail
  }

  get tasks(): ReadonlyArray<VenomTask> {
    return Array.from(this.#known.values()).flatMap(({ last }) => (last === undefined ? [] : [last]))
  }

  /** Whether the task is visible, or has been and was deleted. */
  hasHad(key: string): boolean {
    const { gone, last } = this.#of(key)
    return last !== undefined || gone !== "no"
  }

  /** What it tells is on disk only some time after. */
  get syncsLate(): boolean {
    return this.#syncsLate
  }

  /** How many tasks have ever been visible. */
  get tasksSeen(): number {
    return this.tasks.length + Array.from(this.#known.values()).filter(({ gone }) => gone !== "no").length
  }

  /** The directory was removed, and storage was not mended since. */
  get mayLose(): boolean {
    return this.#lossUntilMended > 0
  }

  /** Somebody has deleted it all or a part of it, and storage was not well since. */
  get mayMiss(): boolean {
    return this.mayLose || this.#isExposed
  }

  /** Whether a task is sure to be on disk. */
  get hasSafe(): boolean {
    return Array.from(this.#known.values()).some(
      ({ exposed, gone, mayGo, removeAsked, safe }) =>
        safe !== undefined && gone === "no" && !mayGo && !removeAsked && !exposed
    )
  }

  get isSettled(): boolean {
    return Array.from(this.#known.values()).every(
      ({ last, submit }) => submit !== "under way" && (last === undefined || isFinished(last))
    )
  }

  submits(key: string, request: TaskRequest): void {
    this.#known.set(key, submitted(key, request))
  }

  belongTogether(keys: ReadonlyArray<string>): void {
    for (const key of keys) this.#of(key).together = keys
  }

  taken(key: string, task: VenomTask): void {
    // another unfinished one has its unique key: nothing of this one may ever be seen
    this.#of(key).submit = keyOf(task) === key ? "taken" : "answered with another"
    this.told(task)
  }

  refused(key: string): void {
    this.#of(key).submit = "refused"
    if (this.#of(key).last !== undefined) this.#fail(`${key} was refused, and had been visible`)
  }

  hungUp(key: string): void {
    const known = this.#of(key)
    if (known.submit === "under way") known.submit = "unknown"
  }

  asks(verb: "cancel" | "retry" | "remove", key: string): void {
    this.#of(key)[`${verb}Asked`] = true
  }

  /** The answer to a deletion: done, or refused; else nobody knows. */
  removed(key: string, isDone: boolean): void {
    const known = this.#of(key)
    if (!isDone) known.removeAsked = false
    else if (known.last !== undefined) this.#fail(`${key} was deleted and is visible`)
  }

  /** An attempt begins: its claim survives the process, though not the machine. */
  began(task: VenomTask): void {
    this.#of(keyOf(task)).begun = task
  }

  /** An answer says that the task is so: from now on it is so, or further. */
  told(task: VenomTask): void {
    const known = this.#of(keyOf(task))
    if (known.gone !== "no") return
    if (known.last === undefined) {
      this.#fail(`${keyOf(task)} was acknowledged and is not visible`)
    } else if (known.last.revision < task.revision) {
      this.#fail(`${keyOf(task)} was acknowledged as ${brief(task)} and is visible as ${brief(known.last)}`)
    }
  }

  /** Storage is whole again. */
  mended(): void {
    this.#lossUntilMended = Math.max(0, this.#lossUntilMended - 1)
    if (this.#showsUnsure) for (const known of this.#known.values()) known.safe = known.last
    this.#showsUnsure = false
    for (const known of this.#known.values()) {
      if (known.submit === "refused") known.void = true
      if (known.gone !== "no") known.gone = { ...known.gone, sure: true }
    }
  }

  /** `whole`: storage was, so that the next mending is one of this removal. */
  directoryRemoved(whole: boolean): void {
    this.#lossUntilMended = whole ? 1 : 2
    this.#removedInThisLife = true
  }

  /** What is asked from now on, and answered, is not in that file. */
  fileRemoved(): void {
    this.#isExposed = true
    for (const known of this.#known.values()) known.exposed = true
  }

  /** Attempts may be given back from now on. */
  stops(): void {
    this.#isStopping = true
  }

  /** All that is visible at one moment of a life; `wallClock` is what the process takes for the time. */
  sees(tasks: ReadonlyArray<VenomTask>, at: number, wallClock: number): void {
    const appeared: Array<Known> = []
    const changed = new Set<VenomTask>()
    for (const task of tasks) {
      const known = this.#known.get(keyOf(task))
      if (known === undefined) return this.#fail(`nobody submitted ${brief(task)}`)
      const { last } = known
      if (last === task) continue
      this.#checkIdentity(task, known)
      if (known.submit === "refused") this.#fail(`${keyOf(task)} was refused and is visible: ${brief(task)}`)
      if (known.submit === "answered with another") this.#fail(`${keyOf(task)} is there besides the other one`)
      if (last !== undefined) this.#checkStep(last, task, known)
      this.#checkCause(task, known)
      this.#tally.count(`step ${TaskChecks.step(last, task)}`)
      const isClaim = last?.status === "PENDING" && task.status === "PROCESSING" && task.revision === last.revision + 1
      if (known.gone !== "no") this.#fail(`${keyOf(task)} was gone and is visible again: ${brief(task)}`)
      if (last === undefined) {
        this.#visible++
        appeared.push(known)
      }
      known.last = task
      changed.add(task)
      if (this.#syncsLate) known.recent = [...known.recent, { at, task }]
      else if (!isClaim) known.safe = task
    }
    for (const known of appeared) this.#checkTogether(known)
    this.#checkUnique(tasks)
    if (tasks.length < this.#visible) {
      const seen = new Set(tasks.map(keyOf))
      const missing = this.tasks.filter((task) => !seen.has(keyOf(task)))
      this.#checkGone(
        missing,
        // what has finished at this moment did not count when those to go were chosen
        this.tasks.filter((task) => seen.has(keyOf(task)) && !changed.has(task)),
        wallClock
      )
      for (const task of missing) {
        this.#of(keyOf(task)).gone = { at, sure: !this.#syncsLate }
        this.#of(keyOf(task)).last = undefined
      }
      this.#visible -= missing.length
    }
  }

  overdue(wallClock: number): ReadonlyArray<VenomTask> {
    return Retention.overdue(this.tasks, this.#retention, wallClock)
  }

  counted(tasks: ReadonlyArray<VenomTask>, counts: Readonly<Record<TaskStatus, number>>): void {
    for (const status of ["PENDING", "PROCESSING", "COMPLETED", "FAILED"] as const) {
      const seen = tasks.filter((task) => task.status === status).length
      if (seen !== counts[status]) this.#fail(`counts say ${counts[status]} ${status}, and there are ${seen}`)
    }
  }

  /** A life begins; `syncsLate` when what it tells is on disk only some time after. */
  begins(syncsLate: boolean, retention: Retention.Retention): void {
    this.#syncsLate = syncsLate
    this.#retention = retention
    this.#isOpen = false
    this.#removedInThisLife = false
    this.#isStopping = false
  }

  /** A life ended; what was asked and not answered stays unknown. What was visible by `sureUntil` is on disk. */
  ends(sureUntil: number, wallClock: number): void {
    const overdue = new Set(this.overdue(wallClock))
    for (const known of this.#known.values()) {
      if (this.#isOpen && known.last !== undefined) known.mayGo = overdue.has(known.last) || known.removeAsked
      if (known.gone !== "no" && known.gone.at <= sureUntil) known.gone = { ...known.gone, sure: true }
      known.safe = known.recent.findLast(({ at }) => at <= sureUntil)?.task ?? known.safe
      known.recent = []
    }
    for (const known of this.#known.values()) if (known.submit === "under way") known.submit = "unknown"
  }

  /**
   * What the next life found. From now on it is durable, if that life could write. `refusedIsCut`: only processes
   * have died, and the disk has always let them cut off what they had written of what they refused.
   */
  recovers(
    tasks: ReadonlyArray<VenomTask>,
    ending: Ending,
    { isDurable, refusedIsCut }: { readonly isDurable: boolean; readonly refusedIsCut: boolean }
  ): void {
    this.#isOpen = true
    this.#showsUnsure = !isDurable
    const found = new Map(tasks.map((task) => [keyOf(task), task]))
    this.#checkUnique(tasks)
    for (const task of tasks) if (!this.#known.has(keyOf(task))) this.#fail(`recovery made up ${brief(task)}`)
    this.#visible = found.size
    for (const [key, known] of this.#known) {
      const task = found.get(key)
      const wrongs = Array.from(survival(key, known, task, ending))
      if (this.#lossUntilMended === 0 && !known.exposed) for (const wrong of wrongs) this.#fail(wrong)
      if (task === undefined) {
        if (known.last !== undefined && known.mayGo) {
          this.#tally.count("pruned, and that seen only after the crash")
          // one that could not write has read it, and it may be in memory alone
          known.gone = { at: isDurable ? 0 : Number.POSITIVE_INFINITY, sure: isDurable }
        }
      } else {
        if (known.gone !== "no") this.#tally.count("pruned, and back after a crash")
        known.gone = "no"
        this.#checkIdentity(task, known)
        this.#checkCause(task, known)
        if (known.void && !known.exposed)
          this.#fail(`${key} was refused, the store was whole again, and now it is back`)
        if (known.submit === "answered with another") this.#fail(`${key} is there besides the other one`)
        if (known.submit === "refused" && refusedIsCut && !known.exposed)
          this.#fail(`${key} was refused, and now it is there`)
        if (known.submit === "refused") known.submit = "unknown"
      }
      // records upon a state that is lost make what never was
      if (isDurable && isAsBefore(known.last, task) && this.#isSound(task, known)) known.exposed = false
      known.last = task
      if (isDurable) known.safe = task
      else if (this.#lossUntilMended > 0) known.safe = undefined
      known.begun = undefined
      known.mayGo = false
    }
    if (isDurable) this.#isExposed = false
    for (const known of this.#known.values()) if (known.last !== undefined) this.#checkTogether(known)
    if (!this.#removedInThisLife) this.#lossUntilMended = 0
  }

  #checkTogether({ together }: Known): void {
    const missing = together.filter((key) => this.#of(key).last === undefined && this.#of(key).gone === "no")
    if (missing.length > 0)
      this.#fail(`of ${together.join(", ")}, submitted together, there is no ${missing.join(", ")}`)
  }

  #checkUnique(tasks: ReadonlyArray<VenomTask>): void {
    const sure = tasks.filter((task) => this.#known.get(keyOf(task))?.exposed === false)
    for (const wrong of TaskChecks.notUnique(sure)) this.#fail(wrong)
  }

  #checkGone(gone: ReadonlyArray<VenomTask>, left: ReadonlyArray<VenomTask>, wallClock: number): void {
    const kept = this.#retention
    const isRemoved = (task: VenomTask) => this.#of(keyOf(task)).removeAsked
    const missing = gone.filter((task) => !isRemoved(task))
    for (const task of gone.filter(isRemoved)) {
      this.#tally.count("deleted by hand")
      if (!isFinished(task)) this.#fail(`${brief(task)} was deleted`)
    }
    for (const task of missing) this.#tally.count(`pruned ${Retention.cause(task, kept, wallClock)}`)
    const leaves = (task: VenomTask) => this.#of(keyOf(task)).retryAsked || isRemoved(task)
    for (const wrong of Retention.wrongs({ missing, left, leaves, kept, wallClock })) this.#fail(wrong)
  }

  #checkIdentity(task: VenomTask, { last, request }: Known): void {
    const key = keyOf(task)
    const owner = this.#keys.get(task.id) ?? key
    this.#keys.set(task.id, owner)
    if (owner !== key) this.#fail(`${key} and ${owner} have the same id`)
    for (const wrong of TaskChecks.changed(task, request, last)) this.#fail(wrong)
  }

  #checkStep(before: VenomTask, after: VenomTask, { retryAsked }: Known): void {
    for (const wrong of TaskChecks.illegal(before, after, retryAsked)) this.#fail(wrong)
    if (!this.#isStopping && before.status === "PROCESSING" && after.attempt < before.attempt)
      this.#fail(`${keyOf(after)} was given back though nobody stops: ${brief(after)}`)
  }

  #isSound(task: VenomTask | undefined, { cancelAsked }: Known): boolean {
    return task === undefined || TaskChecks.wrongs(task, this.#workload, cancelAsked).next().done === true
  }

  #checkCause(task: VenomTask, { cancelAsked, exposed }: Known): void {
    if (exposed) return
    for (const wrong of TaskChecks.wrongs(task, this.#workload, cancelAsked)) this.#fail(wrong)
  }

  #of(key: string): Known {
    const known = this.#known.get(key)
    if (known === undefined) throw new Error(`the simulation does not know ${key}`)
    return known
  }
}

const isAsBefore = (before: VenomTask | undefined, found: VenomTask | undefined): boolean =>
  before === undefined || found === undefined ? before === found : TaskChecks.same(before, found)
