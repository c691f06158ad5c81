import { Cause, Clock, Effect, Exit, Option, Predicate, Result, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import * as FlowEntry from "../../src/adapters/file/FlowEntry.ts"
import { type Flow, free } from "../../src/domain/Flow.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { TaskId, type VenomTask } from "../../src/domain/Task.ts"
import * as FlowModel from "./FlowModel.ts"
import { type History, minute, second } from "./History.ts"
import type { Life } from "./Life.ts"
import { keyOf } from "./Workload.ts"

/** Those who ask Venom for something: one by one, many at once, and some who do not wait for the answer. */
export class Clients {
  readonly #history: History
  /** Whether storage must be whole now. */
  readonly #mustBeWell: (life: Life) => boolean
  #submitted = 0
  #flows = 0
  /** Acts that are planned and did not happen yet. */
  #planned = 0

  constructor(history: History, mustBeWell: (life: Life) => boolean) {
    this.#history = history
    this.#mustBeWell = mustBeWell
  }

  /** Whether something will still be asked in this life. */
  get areWaiting(): boolean {
    return this.#planned > 0
  }

  /** The life is over, and nobody asks it anything more. */
  leave(): void {
    this.#planned = 0
  }

  /** Plans what is asked in a life: `most` times at most. Returns within how many milliseconds. */
  plan(life: Life, most: number): number {
    const { chance } = this.#history
    const within = chance.scale(10, 5 * minute)
    for (let count = chance.below(most); count > 0; count--) {
      const act = chance.pick(
        () => this.submit(life),
        () => this.submit(life),
        () => this.submit(life),
        () => this.#submitSeveral(life),
        () => this.insertTogether(life),
        () => this.#put(life, this.#entryName()),
        () => this.#putTwice(life),
        () => this.#holdBack(life),
        () => this.submit(life, `u${chance.between(1, 2)}`),
        () => this.submit(life, `u${chance.between(1, 2)}`),
        () => this.change(life, "cancel"),
        () => this.change(life, "cancel"),
        () => this.change(life, "retry"),
        () => this.remove(life),
        () => this.#cancelAndRetry(life)
      )
      this.#later(life, chance.next() * within, act)
    }
    return within
  }

  #newRequest(uniqueKey?: string) {
    const { chance, model, workload, world } = this.#history
    const key = `k${++this.#submitted}`
    const now = world.clock.currentTimeMillisUnsafe()
    const runAt = now + chance.below(10 * minute)
    const request = {
      ...workload.request(key, chance),
      ...(chance.happens(0.15) ? { runAt } : {}),
      ...(chance.happens(0.15) ? { deadline: now + Math.round(chance.scale(1, 10 * minute)) } : {}),
      ...(uniqueKey === undefined ? {} : { uniqueKey })
    }
    model.submits(key, request)
    return { key, request }
  }

  #submitSeveral(life: Life): void {
    for (let times = this.#history.chance.between(2, 12); times > 0; times--) this.submit(life)
  }

  submit(life: Life, uniqueKey?: string): void {
    const { chance, model, world } = this.#history
    const { key, request } = this.#newRequest(uniqueKey)
    const hangUp = this.#ask(
      life,
      `submit ${key}`,
      ({ orchestrator }) => orchestrator.submit(request),
      (exit) => {
        if (Exit.isSuccess(exit)) model.taken(key, exit.value)
        else this.#refused(life, [key], exit.cause)
      }
    )
    if (chance.happens(0.05)) world.after(chance.scale(0.01, 10), hangUp)
  }

  /** Several tasks that become one change: all of them or none. */
  insertTogether(life: Life): void {
    const { chance, model, workload } = this.#history
    const asked = Array.from({ length: chance.between(2, 8) }, () => this.#newRequest())
    const keys = asked.map(({ key }) => key)
    model.belongTogether(keys)
    const insert = Effect.gen(function* () {
      const random = yield* SecureRandom.SecureRandom
      const now = yield* Clock.currentTimeMillis
      const tasks = yield* Effect.forEach(asked, ({ request }) =>
        Effect.map(random.uuidV7(), (uuid) =>
          Lifecycle.submit(request, { id: Schema.decodeSync(TaskId)(uuid), now, maxAttempts: workload.maxAttempts })
        )
      )
      return { tasks }
    })
    this.#ask(
      life,
      `insert ${keys.join(" ")}`,
      ({ repository }) => Effect.flatMap(insert, ({ tasks }) => Effect.as(repository.insert(tasks), tasks)),
      (exit) => {
        if (Exit.isFailure(exit)) this.#refused(life, keys, exit.cause)
        else for (const task of exit.value) model.taken(keyOf(task), task)
      }
    )
  }

  #entryName(): string {
    return `e${this.#history.chance.between(1, 3)}`
  }

  /** Two who know the same of an entry. */
  #putTwice(life: Life): void {
    const name = this.#entryName()
    this.#put(life, name)
    this.#put(life, name)
  }

  /** An entry is changed, often with a new task in the same record. */
  #put(life: Life, name: string): void {
    const { chance, entries, model, workload } = this.#history
    const asked = chance.happens(0.6) ? this.#newRequest() : undefined
    const value = entries.asks(name, asked?.key)
    const expects = entries.revision(name)
    const put = (now: number) => ({ name, value, expects, expiresAt: null, now })
    const insert = Effect.gen(function* () {
      const random = yield* SecureRandom.SecureRandom
      const now = yield* Clock.currentTimeMillis
      if (asked === undefined) return { now, tasks: [] }
      const id = Schema.decodeSync(TaskId)(yield* random.uuidV7())
      return { now, tasks: [Lifecycle.submit(asked.request, { id, now, maxAttempts: workload.maxAttempts })] }
    })
    this.#ask(
      life,
      `put ${name}${asked === undefined ? "" : ` with ${asked.key}`}`,
      ({ repository }) =>
        Effect.flatMap(insert, ({ now, tasks }) =>
          tasks.length === 0 ? Effect.as(repository.put(put(now)), []) : repository.insert(tasks, put(now))
        ),
      (exit) => {
        if (Exit.isSuccess(exit)) {
          entries.answered(value, "done")
          for (const task of exit.value) model.taken(keyOf(task), task)
          return
        }
        entries.answered(value, answer(exit) === "hung up" ? "unknown" : "refused")
        const failure = Exit.findErrorOption(exit)
        if (Option.isSome(failure) && failure.value._tag === "EntryChanged") {
          Option.map(failure.value.entry, (entry) => entries.isToldOf(entry))
        }
        if (asked !== undefined) this.#refused(life, [asked.key], exit.cause)
      }
    )
  }

  /** Often while tasks come; mostly not for long. */
  #holdBack(life: Life): void {
    const { chance } = this.#history
    const inRush = chance.happens(0.5)
    if (inRush) this.#submitSeveral(life)
    // while what was submitted is synced, or just claimed, or at the same moment
    this.#later(life, chance.happens(0.5) ? chance.scale(0.05, 50) : 0, () => {
      this.setFlow(life, FlowModel.random(chance))
      if (inRush) this.#submitSeveral(life)
    })
    if (chance.happens(0.7)) this.#later(life, chance.scale(10, minute), () => this.setFlow(life, free))
  }

  /** What holds back the queue is changed. */
  setFlow(life: Life, wanted: Flow, answered: (isDone: boolean) => void = () => {}): void {
    const { entries, flow } = this.#history
    const asked = flow.asks(wanted, ++this.#flows)
    const value = FlowModel.valueOf(asked)
    entries.asksInAnyCase(FlowEntry.name, value)
    this.#ask(
      life,
      `flow ${JSON.stringify(value)}`,
      ({ repository }) => repository.updateFlow(() => asked),
      (exit) => {
        const isDone = Exit.isSuccess(exit)
        entries.answered(value, isDone ? "done" : answer(exit) === "hung up" ? "unknown" : "refused")
        flow.answered(asked)
        answered(isDone)
      }
    )
  }

  /** Lets everything go after some time, and tries again until it may. */
  free(life: Life, after: number): void {
    const { world } = this.#history
    this.#planned++
    const again = (): void => {
      if (!life.isRunning) return void world.after(second, again)
      this.setFlow(life, free, (isDone) => {
        if (isDone) this.#planned--
        else world.after(second, again)
      })
    }
    world.after(after, again)
  }

  change(life: Life, verb: "cancel" | "retry", chosen?: VenomTask): void {
    const { chance, model } = this.#history
    const { tasks } = model
    const task = chosen ?? tasks[chance.below(tasks.length)]
    if (task === undefined) return
    model.asks(verb, keyOf(task))
    this.#ask(
      life,
      `${verb} ${keyOf(task)}`,
      ({ orchestrator }) => Effect.result(orchestrator[verb](task.id)),
      (exit) => {
        if (Exit.isSuccess(exit) && exit.value._tag === "Success") model.told(exit.value.success)
      }
    )
  }

  /** One that runs is cancelled, and run again though its attempt may not have ended yet. */
  #cancelAndRetry(life: Life): void {
    const { chance, model } = this.#history
    const running = model.tasks.filter(({ status }) => status === "PROCESSING")
    const task = running[chance.below(running.length)]
    if (task === undefined) return
    this.change(life, "cancel", task)
    this.#later(life, chance.scale(1, 5_000), () => this.change(life, "retry", task))
  }

  #later(life: Life, delay: number, act: () => void): void {
    this.#planned++
    this.#history.world.after(delay, () => {
      this.#planned--
      if (life.isRunning) act()
    })
  }

  remove(life: Life): void {
    const { chance, model } = this.#history
    const { tasks } = model
    const task = tasks[chance.below(tasks.length)]
    if (task === undefined) return
    const key = keyOf(task)
    model.asks("remove", key)
    this.#ask(
      life,
      `remove ${key}`,
      ({ orchestrator }) => orchestrator.remove(task.id),
      (exit) => {
        if (Exit.isSuccess(exit)) model.removed(key, true)
        else if (answer(exit) === "IllegalTransition") model.removed(key, false)
      }
    )
  }

  #ask<A, E>(
    life: Life,
    what: string,
    question: (services: Services) => Effect.Effect<A, E, SecureRandom.SecureRandom>,
    answered: (exit: Exit.Exit<A, E>) => void
  ): () => void {
    const { orchestrator, repository } = life
    if (orchestrator === undefined || repository === undefined) return () => {}
    this.#history.note(what)
    return life.run(question({ orchestrator, repository }), (exit) => {
      this.#history.note(`${what}: ${outcome(exit)}`)
      this.#history.tally.count(`${what.split(" ")[0]}: ${answer(exit)}`)
      life.observe()
      if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) this.#history.fail(`${what}: ${outcome(exit)}`)
      answered(exit)
    })
  }

  #refused(life: Life, keys: ReadonlyArray<string>, cause: Cause.Cause<unknown>): void {
    const { model } = this.#history
    if (Cause.hasInterruptsOnly(cause)) return keys.forEach((key) => model.hungUp(key))
    for (const key of keys) model.refused(key)
    const why = outcome(Exit.failCause(cause))
    if (why.includes("StorageError") && this.#mustBeWell(life)) {
      this.#history.fail(`${keys.join(", ")} was refused though the disk is well: ${why}`)
    }
  }
}

interface Services {
  readonly orchestrator: NonNullable<Life["orchestrator"]>
  readonly repository: NonNullable<Life["repository"]>
}

/** What was answered, in one word. */
const answer = (exit: Exit.Exit<unknown, unknown>): string => {
  const failure = Exit.isFailure(exit)
    ? Option.getOrUndefined(Exit.findErrorOption(exit))
    : Result.isResult(exit.value) && Result.isFailure(exit.value)
      ? exit.value.failure
      : undefined
  if (Predicate.hasProperty(failure, "_tag")) return String(failure._tag)
  return Exit.isSuccess(exit) ? "done" : "hung up"
}

/** An exit in a few words. */
export const outcome = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isSuccess(exit) ? "done" : (Cause.pretty(exit.cause).split("\n")[0] ?? "")
