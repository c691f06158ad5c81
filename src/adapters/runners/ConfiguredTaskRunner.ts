import { Context, Effect, Layer, References, Result, type Scope, Semaphore } from "effect"
import { permanent } from "../../domain/TaskError.ts"
import { TaskRunner } from "../../ports/TaskRunner.ts"
import type { InvalidTarget } from "../http/SignedPost.ts"
import type { InvalidCommand } from "./CommandLine.ts"
import * as CommandTaskRunner from "./CommandTaskRunner.ts"
import type { InvalidModule } from "./HandlerThread.ts"
import * as HttpTaskRunner from "./HttpTaskRunner.ts"
import * as ModuleTaskRunner from "./ModuleTaskRunner.ts"
import { InvalidRunners, type Runner, type Runners, type Work } from "./RunnersFile.ts"
import * as SimulatedTaskRunner from "./SimulatedTaskRunner.ts"

type Refusal = InvalidCommand | InvalidTarget | InvalidModule

const layerOf = (runner: Runner, types: ReadonlyArray<string>): Layer.Layer<TaskRunner, Refusal> => {
  switch (runner._tag) {
    case "Command":
      return CommandTaskRunner.layer(runner.options)
    case "Http":
      return HttpTaskRunner.layer(runner.options)
    case "Module":
      return ModuleTaskRunner.layer({ ...runner.options, types })
    case "Simulated":
      return SimulatedTaskRunner.layer(runner.options)
  }
}

const build = (
  { path }: Runners,
  at: string,
  { runner }: Work,
  types: ReadonlyArray<string>
): Effect.Effect<Result.Result<TaskRunner["Service"], string>, never, Scope.Scope> =>
  Layer.build(layerOf(runner, types)).pipe(
    Effect.map(Context.get(TaskRunner)),
    Effect.mapError(({ message }) => `${path}: ${at}: ${message}`),
    Effect.annotateLogs({ runner_of: at }),
    Effect.result
  )

/** Those that can be built, and what is wrong with the others. */
const buildAll = Effect.fnUntraced(function* (runners: Runners) {
  const byType = new Map<string, TaskRunner["Service"]>()
  const problems: Array<string> = []
  for (const [type, work] of Object.entries(runners.types)) {
    const built = yield* build(runners, `types.${type}`, work, [type])
    if (Result.isSuccess(built)) byType.set(type, built.success)
    else problems.push(built.failure)
  }
  let others: TaskRunner["Service"] | undefined
  if (runners.others !== undefined) {
    const built = yield* build(runners, "others", runners.others, [])
    if (Result.isFailure(built)) problems.push(built.failure)
    else others = yield* limited(built.success, runners.others.concurrency)
  }
  return { byType, others, problems }
})

/** Everything that is named and is not there: programs, modules, handlers. */
export const missing = (runners: Runners): Effect.Effect<ReadonlyArray<string>> =>
  buildAll(runners).pipe(
    Effect.scoped,
    Effect.map(({ problems }) => problems),
    // none of it will run
    Effect.provideService(References.MinimumLogLevel, "None")
  )

/** Those of other types have no limit that claims are held to: what begins beyond it waits. */
const limited = (runner: TaskRunner["Service"], limit: number | undefined) =>
  limit === undefined
    ? Effect.succeed(runner)
    : Effect.map(Semaphore.make(limit), (permits): TaskRunner["Service"] => ({
        ...runner,
        run: (task, handle) => permits.withPermits(1)(runner.run(task, handle))
      }))

/** Each type has the runner that a configuration gives it, and all others the one for others, if there is one. */
export const layer = (runners: Runners): Layer.Layer<TaskRunner, InvalidRunners> =>
  Layer.effect(
    TaskRunner,
    Effect.gen(function* () {
      const { byType, others, problems } = yield* buildAll(runners)
      if (problems.length > 0) return yield* new InvalidRunners({ problems })
      const known =
        others === undefined
          ? byType.keys()
          : others.types === undefined
            ? undefined
            : [...byType.keys(), ...others.types]
      return TaskRunner.of({
        run: (task, handle) =>
          (byType.get(task.type) ?? others)?.run(task, handle) ?? Effect.fail(permanent(`no runner for ${task.type}`)),
        ...(known === undefined ? {} : { types: new Set(known) })
      })
    })
  )
