import { Console, Effect } from "effect"
import { Command } from "effect/cli"
import type { VenomTask } from "../domain/Task.ts"
import * as TaskJson from "../domain/TaskJson.ts"
import * as DataDirectory from "./DataDirectory.ts"

/** `venom dump`: the whole state of a data directory as JSON, one task a line. */
export const command = <E, R>(options: {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly read: (directory: string) => Effect.Effect<ReadonlyArray<VenomTask>, E, R>
}) =>
  Command.make(
    "dump",
    { directory: DataDirectory.flag(options.environment) },
    Effect.fnUntraced(function* ({ directory }) {
      const tasks = yield* options.read(directory)
      yield* Console.log("[")
      for (const [at, task] of tasks.entries()) {
        yield* Console.log(`${JSON.stringify(TaskJson.toWire(task))}${at < tasks.length - 1 ? "," : ""}`)
      }
      yield* Console.log("]")
    })
  ).pipe(
    Command.withDescription(
      "Prints the state of a data directory as a JSON array of tasks; a service may be running on it"
    )
  )
