import { Context, Effect, Layer } from "effect"
import type { RegisteredType } from "../ports/RegisteredTypes.ts"
import { RegisteredTypes } from "../ports/RegisteredTypes.ts"
import { TaskRunner } from "../ports/TaskRunner.ts"
import * as TaskTypes from "./TaskTypes.ts"

type Run = TaskRunner["Service"]["run"]

interface Handled {
  readonly name: string
  readonly registered: RegisteredType
  readonly handler: Effect.Effect<Run, never, unknown>
}

/** Runs the tasks of these types by their handlers, and makes the types known. Tasks of others are held. */
export function layer<Types extends ReadonlyArray<Handled>>(
  ...types: Types
): Layer.Layer<TaskRunner, never, Effect.Services<Types[number]["handler"]>>
export function layer(...types: ReadonlyArray<Handled>): Layer.Layer<TaskRunner, never, unknown> {
  return Layer.effectContext(
    Effect.gen(function* () {
      const handlers = new Map<string, Run>()
      for (const { handler, name } of types) handlers.set(name, yield* handler)
      const runner = TaskRunner.of({
        types: new Set(handlers.keys()),
        run: (task, attempt) =>
          handlers.get(task.type)?.(task, attempt) ?? Effect.die(`a task of type ${task.type} was claimed`)
      })
      return Context.make(TaskRunner, runner).pipe(Context.add(RegisteredTypes, yield* TaskTypes.known(types)))
    })
  )
}
