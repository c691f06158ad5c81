import { Context, Effect, Layer } from "effect"
import { type RegisteredType, RegisteredTypes } from "../ports/RegisteredTypes.ts"
import { TaskRunner } from "../ports/TaskRunner.ts"
import * as TaskTypes from "./TaskTypes.ts"

type Runner = TaskRunner["Service"]

interface Handled {
  readonly name: string
  readonly registered: RegisteredType
  readonly handler: Effect.Effect<Runner["run"], never, unknown>
}

/** What the handlers of types need to be there: the handlers. */
type Handlers<Types extends ReadonlyArray<Handled>> = Effect.Services<Types[number]["handler"]>

/** Runs the tasks of these types by their handlers, and makes the types known. Tasks of others are held. */
export function layer<Types extends ReadonlyArray<Handled>>(
  ...types: Types
): Layer.Layer<TaskRunner, never, Handlers<Types>>
export function layer(...types: ReadonlyArray<Handled>): Layer.Layer<TaskRunner, never, unknown> {
  return Layer.effectContext(runnerOf(types, undefined))
}

/** The same over a runner that is there: it has the tasks of all other types that it has work for. */
export function layerOver<Types extends ReadonlyArray<Handled>>(
  ...types: Types
): Layer.Layer<TaskRunner, never, TaskRunner | Handlers<Types>>
export function layerOver(...types: ReadonlyArray<Handled>): Layer.Layer<TaskRunner, never, unknown> {
  return Layer.effectContext(Effect.flatMap(TaskRunner, (others) => runnerOf(types, others)))
}

const runnerOf = Effect.fnUntraced(function* (types: ReadonlyArray<Handled>, others: Runner | undefined) {
  const handlers = new Map<string, Runner["run"]>()
  for (const { handler, name } of types) handlers.set(name, yield* handler)
  const run: Runner["run"] = (task, attempt) => {
    const handle = handlers.get(task.type) ?? others?.run
    return handle === undefined ? Effect.die(`a task of type ${task.type} was claimed`) : handle(task, attempt)
  }
  const hasWorkForAll = others !== undefined && others.types === undefined
  const runner: Runner = hasWorkForAll
    ? { run }
    : { run, types: new Set([...handlers.keys(), ...(others?.types ?? [])]) }
  return Context.make(TaskRunner, runner).pipe(Context.add(RegisteredTypes, yield* TaskTypes.known(types)))
})
