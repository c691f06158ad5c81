import { Option, Schema } from "effect"
import { Flow, free, isFree as isFreeWithoutKeys, limitOfKey, limitOfType } from "../../src/domain/Flow.ts"
import * as Span from "../../src/domain/Span.ts"
import type { Instant, VenomTask } from "../../src/domain/Task.ts"
import type { Chance } from "./Chance.ts"
import { types } from "./Workload.ts"

const codec = Schema.toCodecJson(Flow)
const encode = Schema.encodeSync(codec)
const decode = Schema.decodeUnknownOption(codec)

/** As it stands in an entry. */
export const valueOf = (flow: Flow): Schema.Json => encode(flow)

/** What holds back the queue, and whether it does: no claim is seen that it forbids. */
export class FlowModel {
  readonly #fail: (violation: string) => void
  /** On their way: a claim may have been decided on any of them. */
  readonly #underWay = new Set<Flow>()
  #inForce = free
  #before = free
  /** Of this life. */
  #starts: ReadonlyArray<Pick<VenomTask, "id" | "type"> & { readonly at: Instant }> = []

  constructor(fail: (violation: string) => void) {
    this.#fail = fail
  }

  /** Told apart from all others by a key that no task has. */
  asks(flow: Flow, number: number): Flow {
    const asked = { ...flow, keys: { ...flow.keys, [`flow ${number}`]: { concurrency: number } } }
    this.#underWay.add(asked)
    return asked
  }

  /** Whoever has hung up does not know: it may still come. */
  answered(flow: Flow): void {
    this.#underWay.delete(flow)
  }

  /** Whether nothing is held back, nor soon will be. */
  get isFree(): boolean {
    return [this.#before, this.#inForce, ...this.#underWay].every(isFree)
  }

  begins(): void {
    this.#underWay.clear()
    this.#starts = []
  }

  /** The entry that is visible, when a life has opened. */
  opened(value: Schema.Json | undefined): void {
    this.#inForce = this.#before = read(value)
  }

  /** One moment of a life. */
  sees(value: Schema.Json | undefined, before: ReadonlyArray<VenomTask>, tasks: ReadonlyArray<VenomTask>): void {
    this.#before = this.#inForce
    this.#inForce = read(value)
    const known = new Map(before.map((task) => [task.id, task]))
    const claims = tasks.filter(
      (task) => task.status === "PROCESSING" && known.get(task.id)?.attempt !== task.attempt && known.has(task.id)
    )
    if (claims.length === 0) return
    // when a limit is set, those of tasks that are gone are forgotten
    const held = new Set(tasks.map(({ id }) => id))
    const begun = claims.map((task) => ({ id: task.id, type: task.type, at: startOf(task) }))
    this.#starts = [...this.#starts, ...begun].filter(({ id }) => held.has(id))
    const running = tasks.filter(({ status }) => status === "PROCESSING")
    const wrongs = [this.#before, this.#inForce, ...this.#underWay].map((flow) => [
      ...this.#wrongs(flow, claims, running)
    ])
    if (wrongs.every((wrong) => wrong.length > 0)) this.#fail(`it was held back and was claimed: ${wrongs[1]?.[0]}`)
  }

  *#wrongs(flow: Flow, claims: ReadonlyArray<VenomTask>, running: ReadonlyArray<VenomTask>): Generator<string> {
    if (flow.paused) yield "all is paused"
    if (running.length > (flow.concurrency ?? Infinity)) yield `${running.length} run, of ${flow.concurrency}`
    for (const claim of claims) {
      const { concurrencyKey: key, type } = claim
      const ofType = running.filter((task) => task.type === type).length
      if (ofType > limitOfType(flow, type)) yield `${ofType} of type ${type} run, of ${limitOfType(flow, type)}`
      const ofKey = running.filter(({ concurrencyKey }) => concurrencyKey === key).length
      if (key !== undefined && ofKey > limitOfKey(flow, key))
        yield `${ofKey} of key ${key} run, of ${limitOfKey(flow, key)}`
      const rate = flow.types[type]?.rate
      if (rate === undefined) continue
      const now = startOf(claim)
      const since = now - Span.millis(rate.per)
      const starts = this.#starts.filter((start) => start.type === type && start.at > since && start.at <= now)
      if (starts.length > rate.limit)
        yield `${starts.length} of type ${type} have begun in ${rate.per}, of ${rate.limit}`
    }
  }
}

/** By the clock: what it is told apart by lies later where the clock went back, or after a release. */
const startOf = ({ startedAt, updatedAt }: VenomTask): Instant => Math.min(startedAt ?? updatedAt, updatedAt)

/** But for the key by which it is told apart. */
const isFree = (flow: Flow): boolean => flow.keys["a"] === undefined && isFreeWithoutKeys({ ...flow, keys: {} })

/** None is no limit. */
const read = (value: Schema.Json | undefined): Flow =>
  value === undefined ? free : Option.getOrElse(decode(value), () => free)

const half = 0.5

export const random = (chance: Chance): Flow => {
  const limit = () => (chance.happens(half) ? { concurrency: chance.between(0, 3) } : {})
  const rate = () =>
    chance.happens(half)
      ? { rate: { limit: chance.between(1, 3), per: `${chance.between(1, 60)} seconds` as const } }
      : {}
  return {
    paused: chance.happens(0.2),
    ...limit(),
    types: Object.fromEntries(
      types
        .filter(() => chance.happens(half))
        .map((type) => [type, { ...(chance.happens(0.2) ? { paused: true } : {}), ...limit(), ...rate() }])
    ),
    keys: chance.happens(half) ? { a: { concurrency: chance.between(0, 2) } } : {},
    ...(chance.happens(half) ? { eachKey: chance.between(1, 2) } : {})
  }
}
