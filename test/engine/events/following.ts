import { Cause, Context, Effect, Layer } from "effect"
import * as MemoryStateRepository from "../../../src/adapters/memory/MemoryStateRepository.ts"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import type { TaskId, VenomTask } from "../../../src/domain/Task.ts"
import { Draining } from "../../../src/engine/Draining.ts"
import type { Told } from "../../../src/engine/Event.ts"
import { Events, type EventsOptions } from "../../../src/engine/Events.ts"
import type { Following } from "../../../src/engine/Following.ts"
import { StateRepository } from "../../../src/ports/StateRepository.ts"
import { quiet } from "../engine.ts"

type Repository = StateRepository["Service"]

export const roomy: EventsOptions = {
  history: { events: 10_000, bytes: 10_000_000 },
  reader: { events: 1000, bytes: 1_000_000 }
}

/** Events over a memory repository, without an engine. */
export const begin = Effect.fnUntraced(function* (
  options: {
    readonly events?: EventsOptions
    readonly tasks?: ReadonlyArray<VenomTask>
    readonly wrap?: (repository: Repository) => Repository
  } = {}
) {
  const { wrap = (repository) => repository } = options
  const repository = Context.get(yield* Layer.build(MemoryStateRepository.layer(options)), StateRepository)
  const services = yield* Layer.build(
    Events.layerWith(options.events ?? roomy).pipe(
      Layer.provideMerge(Draining.layer),
      Layer.provide(Layer.succeed(StateRepository, wrap(repository)))
    )
  )
  return { repository, events: Context.get(services, Events), draining: Context.get(services, Draining) }
})

/** All that a reader is given until it would have to wait, and whether that was the end. */
export const heard = Effect.fnUntraced(function* (following: Following) {
  const told: Array<Told> = []
  for (;;) {
    yield* quiet
    following.stir()
    const events = yield* Effect.catchIf(following.next, Cause.isDone, () => Effect.succeed(undefined))
    if (events === undefined) return { told, ended: true }
    if (events.length === 0) return { told, ended: false }
    told.push(...events)
  }
})

/** Shortly what was told. */
export const say = (told: Told): string => {
  switch (told._tag) {
    case "Status":
      return `${told.task.status} ${told.task.attempt}`
    case "Log":
      return `"${told.line.slice(25)}"`
    case "Progress":
      return `${told.progress.percent} %${told.id === undefined ? " now" : ""}`
    case "Reset":
      return "task" in told ? `reset ${told.task.status} ${told.task.attempt}` : `reset ${JSON.stringify(told.counts)}`
  }
}

export const idsOf = (told: ReadonlyArray<Told>): ReadonlyArray<bigint> =>
  told.flatMap(({ id }) => (id === undefined ? [] : [id]))

/** Claims what is due. */
export const claim = (repository: Repository) => repository.claim({ limit: 100, now: 1 })

export const complete = (repository: Repository, claimed: VenomTask) =>
  repository.settle([{ claimed, transition: Lifecycle.complete("done", 2) }])

export const logs = (repository: Repository, id: TaskId, ...lines: ReadonlyArray<string>) =>
  repository.update(
    id,
    Lifecycle.log(
      lines.map((line) => `1970-01-01T00:00:00.001Z ${line}`),
      1
    )
  )
