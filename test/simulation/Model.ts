import type { TaskRequest, TaskStatus, VenomTask } from "../../src/domain/Task.ts"
import { isFinished } from "../../src/domain/Task.ts"
import { toWire } from "../../src/domain/TaskJson.ts"
import type { Tally } from "./Tally.ts"
import { keyOf, type Workload } from "./Workload.ts"

/** How the life before ended, and so what it may have lost. */
export type Ending = "power" | "kill" | "stop"

/** What the outside knows of one submit and of the task that came of it. */
interface Known {
  readonly request: TaskRequest
  /** Those it was submitted with, all or none. */
  together: ReadonlyArray<string>
  submit: "under way" | "taken" | "refused" | "unknown"
  /** Refused, and the store was whole again after that: it can never turn up. */
  void: boolean
  cancelAsked: boolean
  retryAsked: boolean
  /** As it was last visible. */
  last: VenomTask | undefined
  /** The last visible state that a crash must not take: all but a claim. */
  safe: VenomTask | undefined
  /** Where syncs come late: what became visible in this life, and when. */
  recent: ReadonlyArray<{ readonly at: number; readonly task: VenomTask }>
  /** The last state that an attempt began with. */
  begun: VenomTask | undefined
}

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
  #syncsLate = false
  /** A start found the disk unwell: what it shows is not sure to be on disk. */
  #showsUnsure = false

  constructor(workload: Workload, tally: Tally, fail: (violation: string) => void) {
    this.#workload = workload
    this.#tally = tally
    this.#fail = fail
  }

  get keys(): ReadonlyArray<string> {
    return Array.from(this.#known.keys())
  }

  get tasks(): ReadonlyArray<VenomTask> {
    return Array.from(this.#known.values()).flatMap(({ last }) => (last === undefined ? [] : [last]))
  }

  /** The directory was removed, and storage was not mended since. */
  get mayLose(): boolean {
    return this.#lossUntilMended > 0
  }

  get isSettled(): boolean {
    return Array.from(this.#known.values()).every(
      ({ last, submit }) => submit !== "under way" && (last === undefined || isFinished(last))
    )
  }

  submits(key: string, request: TaskRequest): void {
    this.#known.set(key, {
      request,
      together: [key],
      submit: "under way",
      void: false,
      cancelAsked: false,
      retryAsked: false,
      last: undefined,
      safe: undefined,
      recent: [],
      begun: undefined
    })
  }

  belongTogether(keys: ReadonlyArray<string>): void {
    for (const key of keys) this.#of(key).together = keys
  }

  taken(key: string, task: VenomTask): void {
    this.#of(key).submit = "taken"
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

  asks(verb: "cancel" | "retry", key: string): void {
    if (verb === "cancel") this.#of(key).cancelAsked = true
    else this.#of(key).retryAsked = true
  }

  /** An attempt begins: its claim survives the process, though not the machine. */
  began(task: VenomTask): void {
    this.#of(keyOf(task)).begun = task
  }

  /** An answer says that the task is so: from now on it is so, or further. */
  told(task: VenomTask): void {
    const known = this.#of(keyOf(task))
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
    for (const known of this.#known.values()) if (known.submit === "refused") known.void = true
  }

  /** `whole`: storage was, so that the next mending is one of this removal. */
  directoryRemoved(whole: boolean): void {
    this.#lossUntilMended = whole ? 1 : 2
    this.#removedInThisLife = true
  }

  /** All that is visible at one moment of a life. */
  sees(tasks: ReadonlyArray<VenomTask>, at: number): void {
    const appeared: Array<Known> = []
    for (const task of tasks) {
      const known = this.#known.get(keyOf(task))
      if (known === undefined) return this.#fail(`nobody submitted ${brief(task)}`)
      const { last } = known
      if (last === task) continue
      this.#checkIdentity(task, known)
      if (known.submit === "refused") this.#fail(`${keyOf(task)} was refused and is visible: ${brief(task)}`)
      if (last !== undefined) this.#checkStep(last, task, known)
      this.#checkCause(task, known)
      this.#tally.count(`step ${step(last, task)}`)
      const isClaim = last?.status === "PENDING" && task.status === "PROCESSING" && task.revision === last.revision + 1
      if (last === undefined) {
        this.#visible++
        appeared.push(known)
      }
      known.last = task
      if (this.#syncsLate) known.recent = [...known.recent, { at, task }]
      else if (!isClaim) known.safe = task
    }
    for (const known of appeared) this.#checkTogether(known)
    if (tasks.length < this.#visible) {
      const seen = new Set(tasks.map(keyOf))
      const missing = Array.from(this.#known.keys()).filter((key) => this.#of(key).last !== undefined && !seen.has(key))
      this.#fail(`no longer visible: ${missing.join(", ")}`)
    }
  }

  counted(tasks: ReadonlyArray<VenomTask>, counts: Readonly<Record<TaskStatus, number>>): void {
    for (const status of ["PENDING", "PROCESSING", "COMPLETED", "FAILED"] as const) {
      const seen = tasks.filter((task) => task.status === status).length
      if (seen !== counts[status]) this.#fail(`counts say ${counts[status]} ${status}, and there are ${seen}`)
    }
  }

  /** A life begins; `syncsLate` when what it tells is on disk only some time after. */
  begins(syncsLate: boolean): void {
    this.#syncsLate = syncsLate
    this.#removedInThisLife = false
  }

  /** A life ended; what was asked and not answered stays unknown. What was visible by `sureUntil` is on disk. */
  ends(sureUntil: number): void {
    for (const known of this.#known.values()) {
      known.safe = known.recent.findLast(({ at }) => at <= sureUntil)?.task ?? known.safe
      known.recent = []
    }
    for (const known of this.#known.values()) if (known.submit === "under way") known.submit = "unknown"
  }

  /** What the next life found. From now on it is durable, if that life could write. */
  recovers(tasks: ReadonlyArray<VenomTask>, ending: Ending, isDurable: boolean): void {
    this.#showsUnsure = !isDurable
    const found = new Map(tasks.map((task) => [keyOf(task), task]))
    for (const task of tasks) if (!this.#known.has(keyOf(task))) this.#fail(`recovery made up ${brief(task)}`)
    this.#visible = found.size
    for (const [key, known] of this.#known) {
      const task = found.get(key)
      if (this.#lossUntilMended === 0) this.#checkSurvival(key, known, task, ending)
      if (task !== undefined) {
        this.#checkIdentity(task, known)
        this.#checkCause(task, known)
        if (known.void) this.#fail(`${key} was refused, the store was whole again, and now it is back`)
        if (known.submit === "refused") known.submit = "unknown"
      }
      known.last = task
      if (isDurable) known.safe = task
      else if (this.#lossUntilMended > 0) known.safe = undefined
      known.begun = undefined
    }
    for (const known of this.#known.values()) if (known.last !== undefined) this.#checkTogether(known)
    if (!this.#removedInThisLife) this.#lossUntilMended = 0
  }

  #checkTogether({ together }: Known): void {
    const missing = together.filter((key) => this.#of(key).last === undefined)
    if (missing.length > 0)
      this.#fail(`of ${together.join(", ")}, submitted together, there is no ${missing.join(", ")}`)
  }

  #checkSurvival(key: string, known: Known, task: VenomTask | undefined, ending: Ending): void {
    const floor = ending === "power" ? known.safe : known.last
    if (floor === undefined) return
    const { begun } = known
    if (ending !== "power" && begun !== undefined && task !== undefined && task.revision < begun.revision) {
      return this.#fail(`${key} ran as ${brief(begun)}, and that is forgotten: ${brief(task)}`)
    }
    if (task === undefined) return this.#fail(`${key} is lost, it was ${brief(floor)}`)
    if (task.revision < floor.revision) return this.#fail(`${key} went back from ${brief(floor)} to ${brief(task)}`)
    for (const seen of [known.safe, known.last]) {
      if (seen?.revision === task.revision && !same(seen, task)) {
        this.#fail(`${key} was ${json(seen)} and came back as ${json(task)}`)
      }
    }
    this.#checkStep(floor, task, known)
  }

  #checkIdentity(task: VenomTask, { last, request }: Known): void {
    const key = keyOf(task)
    const owner = this.#keys.get(task.id) ?? key
    this.#keys.set(task.id, owner)
    if (owner !== key) this.#fail(`${key} and ${owner} have the same id`)
    if (task.content !== request.content) this.#fail(`${key} has another content: ${JSON.stringify(task.content)}`)
    if (task.priority !== (request.priority ?? 0) || task.type !== (request.type ?? "default")) {
      this.#fail(`${key} has changed what was asked for: ${json(task)}`)
    }
    if (last !== undefined && (last.id !== task.id || last.createdAt !== task.createdAt)) {
      this.#fail(`${key} is another task now: ${json(last)} ${json(task)}`)
    }
  }

  #checkStep(before: VenomTask, after: VenomTask, known: Known): void {
    const key = keyOf(after)
    if (after.revision < before.revision) return this.#fail(`${key} went back from ${brief(before)} to ${brief(after)}`)
    if (after.revision === before.revision) {
      if (!same(before, after)) this.#fail(`${key} changed without a new revision: ${json(before)} ${json(after)}`)
      return
    }
    if (before.status === "COMPLETED") this.#fail(`${key} was COMPLETED and changed to ${json(after)}`)
    if (before.status === "FAILED" && !known.retryAsked) this.#fail(`${key} was FAILED and changed to ${json(after)}`)
  }

  /** Whether something that was asked for or has run can have led to this state. */
  #checkCause(task: VenomTask, known: Known): void {
    const key = keyOf(task)
    if (task.status === "COMPLETED") {
      if (this.#workload.outcome(key, task.attempt).ends !== "completes")
        this.#fail(`${key} completed by an attempt that does not`)
      if (task.result !== this.#workload.result(key, task.attempt))
        this.#fail(`${key} has another result: ${json(task)}`)
    } else if (task.result !== null) this.#fail(`${key} has a result and is ${task.status}`)
    if (task.status === "FAILED") {
      if (task.failure === null) return this.#fail(`${key} is FAILED without a failure`)
      const { ends, millis } = this.#workload.outcome(key, task.attempt)
      const { reason } = task.failure
      const may =
        (reason === "cancelled" && known.cancelAsked) ||
        (reason === "error" && ends.startsWith("fails")) ||
        (reason === "defect" && ends === "dies") ||
        (reason === "timeout" && (ends === "never ends" || millis > 900)) ||
        reason === "crashed"
      if (!may) this.#fail(`${key} has no cause to be FAILED (${reason})`)
    } else if (task.failure !== null) this.#fail(`${key} has a failure and is ${task.status}`)
    this.#checkWhole(task)
    if (isFinished(task) !== (task.finishedAt !== null))
      this.#fail(`${key} is ${task.status} and finished at ${task.finishedAt}`)
  }

  /** Whether the parts of a task can belong to one state of it: none is left from before, none is missing. */
  #checkWhole(task: VenomTask): void {
    const key = keyOf(task)
    const { attempt, attempts, logs, logsDropped, startedAt, status } = task
    const newest = attempts.at(-1)
    const runs = newest?.attempt === attempt && newest.finishedAt === null && newest.startedAt === startedAt
    if (runs !== (status === "PROCESSING"))
      this.#fail(`${key} is ${status} with attempts that say otherwise: ${json(task)}`)
    if (attempts.some((one, at) => one.attempt > attempt || one.attempt <= (attempts[at - 1]?.attempt ?? 0))) {
      this.#fail(`${key} has attempts that do not follow each other: ${json(task)}`)
    }
    if (attempts.slice(0, -1).some(({ finishedAt }) => finishedAt === null)) {
      this.#fail(`${key} has an earlier attempt without an end: ${json(task)}`)
    }
    if (status === "COMPLETED" && (newest?.outcome !== "completed" || newest.attempt !== attempt)) {
      this.#fail(`${key} completed without an attempt that did: ${json(task)}`)
    }
    // every change says something
    if (logs.length + logsDropped < task.revision) this.#fail(`${key} has lost lines of its log: ${json(task)}`)
  }

  #of(key: string): Known {
    const known = this.#known.get(key)
    if (known === undefined) throw new Error(`the simulation does not know ${key}`)
    return known
  }
}

const json = (task: VenomTask): string => JSON.stringify(toWire(task))
const same = (a: VenomTask, b: VenomTask): boolean => json(a) === json(b)
/** Which edge of the state machine has led there, as far as two states tell. */
const step = (before: VenomTask | undefined, { attempt, attempts, failure, status }: VenomTask): string => {
  const from = before?.status ?? "nothing"
  const how =
    failure !== null
      ? failure.reason
      : from === "PROCESSING" && status === "PENDING"
        ? before !== undefined && attempt < before.attempt
          ? "released"
          : (attempts.at(-1)?.outcome ?? "")
        : ""
  return `${from} to ${status}${how === "" ? "" : ` (${how})`}`
}

export const brief = (task: VenomTask): string =>
  `${keyOf(task)} ${task.status} attempt ${task.attempt} revision ${task.revision}`
