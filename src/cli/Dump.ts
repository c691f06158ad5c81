import { Console, Effect } from "effect"
import { Command } from "effect/cli"
import * as DataDirectory from "./DataDirectory.ts"

/** `venom dump`: the whole state of a data directory, as `state_dump.json` has it. */
export const command = <E, R>(options: {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Gives the text in parts that end with a line. */
  readonly dump: (directory: string) => Effect.Effect<Iterable<string>, E, R>
}) =>
  Command.make(
    "dump",
    { directory: DataDirectory.flag(options.environment) },
    Effect.fnUntraced(function* ({ directory }) {
      for (const part of yield* options.dump(directory)) yield* Console.log(part.trimEnd())
    })
  ).pipe(
    Command.withDescription(
      "Prints the whole state of a data directory as JSON, a task a line; a service may be running on it"
    )
  )
